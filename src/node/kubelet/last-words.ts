import type { Files } from '#io';
import type { Container as ContainerSpec } from '#kube/kinds';
import type { Container, Runtime } from '#node/runtime';
import { annotations } from './pod-view.ts';
import { logText } from './log-lines.ts';

const messageBytesMax = 4096;
const fallbackLinesMax = 80;
const fallbackBytesMax = 2048;

/** A container's termination message: its file, or the end of its log when the policy says so. */
export async function lastWordsOf(
  tools: { readonly files: Files; readonly runtime: Runtime },
  container: Container,
  spec: ContainerSpec | undefined,
): Promise<string> {
  const path = container.spec.annotations[annotations.messagePath];
  const bytes = path === undefined ? undefined : await tools.files.readTail(path, messageBytesMax);
  if (bytes !== undefined && bytes.length > 0) return Buffer.from(bytes).toString();
  const failed = container.exitCode !== 0;
  if (spec?.terminationMessagePolicy !== 'FallbackToLogsOnError' || !failed) return '';
  const log = await tools.files.readTail(tools.runtime.logPath(container.id), 16 * 1024);
  if (log === undefined) return '';
  const text = logText(Buffer.from(log).toString(), fallbackLinesMax);
  return Buffer.from(text).subarray(-fallbackBytesMax).toString();
}

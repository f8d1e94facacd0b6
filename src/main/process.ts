import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Logger } from '#base';
import { createLogger } from '#io';
import { readConfig } from './cluster/config.ts';
import type { ClusterConfig } from './cluster/config.ts';

/** EX_CONFIG of sysexits.h: starting again cannot help, the supervisor stops. */
const exitConfig = 78;

/** A process that was told to end does so, whatever hangs. */
const endMsMax = 5000;

/** Starting again would fail the same way: a port that is taken, a data directory of a newer format. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface ProcessContext {
  readonly config: ClusterConfig;
  readonly runDir: string;
  readonly logger: Logger;
  /** Aborts on SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Only for agents: which node. */
  readonly node: number;
  /** Tells `tandem up` that this process serves. */
  ready(): void;
}

/**
 * Runs the body of a server or agent: reads its arguments, ends it on signals, and leaves the reason
 * where `tandem up` finds it when it cannot start.
 */
export async function runProcess(
  nameOf: (config: ClusterConfig, node: number) => string,
  body: (context: ProcessContext) => Promise<void>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      'run-dir': { type: 'string' },
      'data-dir': { type: 'string' },
      node: { type: 'string', default: '0' },
      // The set-up only wants the code in the runtime's cache.
      'load-only': { type: 'boolean', default: false },
    },
  });
  if (values['load-only']) process.exit(0);
  const runDir = values['run-dir'] ?? '';
  const config = readConfig(values['data-dir'] ?? '');
  const node = Number(values.node);
  const name = nameOf(config, node);
  const level = process.env['TANDEM_LOG_LEVEL'] === 'debug' ? 'debug' : 'info';
  const logger = createLogger({ fd: 2, level });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop.abort(new Error(`ended by ${signal}`));
      setTimeout(() => process.exit(0), endMsMax).unref();
    });
  mkdirSync(runDir, { recursive: true });
  const readyFile = join(runDir, `${name}.ready`);
  rmSync(join(runDir, `${name}.failure`), { force: true });
  try {
    await body({
      config,
      runDir,
      logger,
      signal: stop.signal,
      node,
      ready: () => writeFileSync(readyFile, String(process.pid)),
    });
    process.exit(0);
  } catch (error) {
    if (stop.signal.aborted) process.exit(0);
    logger.error(`${name} ends`, { error });
    if (error instanceof StartError) {
      writeFileSync(join(runDir, `${name}.failure`), error.message);
      process.exit(exitConfig);
    }
    process.exit(1);
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

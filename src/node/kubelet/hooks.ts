import type { Clock } from '#base';
import type { Container as ContainerSpec } from '#kube/kinds';
import { goDuration } from './quantity.ts';
import { portOf, urlOf } from './probe-run.ts';
import type { ProbeTarget, ProbeTools } from './probe-run.ts';

type Handler = NonNullable<NonNullable<ContainerSpec['lifecycle']>['preStop']>;

const outputBytesMax = 10 * 1024;

/** Runs a lifecycle hook to its end; throws with the reference's texts when it fails. */
export async function runHook(
  tools: ProbeTools & { readonly clock: Clock },
  target: ProbeTarget,
  options: { readonly handler: Handler; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { handler, timeoutMs, signal } = options;
  if (handler.sleep !== undefined) {
    await tools.clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs), signal);
    return;
  }
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    const result = await tools.runtime.execSync(target.containerId, {
      command,
      timeoutMs,
      outputBytesMax,
    });
    const shown = `[${command.join(' ')}]`;
    const text = Buffer.from(result.output).toString();
    const where = `Exec lifecycle hook (${shown}) for Container ${JSON.stringify(target.spec.name)} failed`;
    if (result.timedOut) throw new Error(`${where} - timed out after ${goDuration(timeoutMs)}`);
    if (result.exitCode !== 0)
      throw new Error(
        `${where} - error: command '${command.join(' ')}' exited with ${result.exitCode}: ${text}, message: ${JSON.stringify(text)}`,
      );
    return;
  }
  if (handler.httpGet !== undefined) {
    const url = urlOf(handler.httpGet, target);
    const own = (handler.httpGet.httpHeaders ?? []).map(
      ({ name, value }) => [name, value] as const,
    );
    const headers = [...own, ['User-Agent', `kube-lifecycle/${tools.minor}`] as const];
    // Any answer will do, as in the reference: the hook was told, its status is not judged.
    await tools.net.http({ url, headers }, timeoutMs);
    return;
  }
  if (handler.tcpSocket !== undefined) {
    const { host, port } = handler.tcpSocket;
    await tools.net.tcp(host ?? target.ip, portOf(port, target.spec), timeoutMs);
    return;
  }
  throw new Error(`invalid handler: no action of ${JSON.stringify(Object.keys(handler))} is known`);
}

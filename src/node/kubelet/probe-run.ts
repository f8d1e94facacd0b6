import type { ProbeNet } from '#io';
import type { Container as ContainerSpec } from '#kube/kinds';
import type { Runtime } from '#node/runtime';
import { messageOf } from './errors.ts';
import { goDuration } from './quantity.ts';

export interface ProbeTarget {
  readonly containerId: string;
  readonly spec: ContainerSpec;
  /** Pod's address; the node's own for Pods on its network. */
  readonly ip: string;
}
export interface ProbeResult {
  readonly ok: boolean;
  readonly output: string;
  /** Counts as success but deserves an event ProbeWarning. */
  readonly warning?: boolean;
}
type Handler = Omit<NonNullable<ContainerSpec['livenessProbe']>, 'timeoutSeconds'>;

const outputBytesMax = 10 * 1024;
const redirectsMax = 10;

export interface ProbeTools {
  readonly runtime: Runtime;
  readonly net: ProbeNet;
  /** `1.36`: part of the user agent. */
  readonly minor: string;
}

/** One probe of any kind. Never throws: what goes wrong is a failure with a text. */
export async function runProbe(
  tools: ProbeTools,
  target: ProbeTarget,
  probe: Handler & { readonly timeoutSeconds?: number | undefined },
): Promise<ProbeResult> {
  const timeoutMs = Math.max(1, probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec !== undefined)
      return await execProbe(tools, target, { command: probe.exec.command ?? [], timeoutMs });
    if (probe.httpGet !== undefined)
      return await httpProbe(tools, target, { get: probe.httpGet, timeoutMs });
    if (probe.tcpSocket !== undefined) {
      const { host, port } = probe.tcpSocket;
      await tools.net.tcp(
        host === undefined || host === '' ? target.ip : host,
        portOf(port, target.spec),
        timeoutMs,
      );
      return { ok: true, output: '' };
    }
    if (probe.grpc !== undefined) {
      const { port, service } = probe.grpc;
      const status = await tools.net.grpc(
        { host: target.ip, port, service: service ?? '' },
        timeoutMs,
      );
      if (status === 1) return { ok: true, output: 'service healthy' };
      return {
        ok: false,
        output: `service unhealthy (responded with "${['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'][status] ?? status}")`,
      };
    }
    return { ok: false, output: `missing probe handler for ${target.spec.name}` };
  } catch (error) {
    return { ok: false, output: messageOf(error) };
  }
}

async function execProbe(
  { runtime }: ProbeTools,
  target: ProbeTarget,
  options: { readonly command: readonly string[]; readonly timeoutMs: number },
): Promise<ProbeResult> {
  const result = await runtime.execSync(target.containerId, { ...options, outputBytesMax });
  const output = Buffer.from(result.output).toString();
  if (result.timedOut)
    return {
      ok: false,
      output: `command timed out: ${JSON.stringify(options.command.join(' '))} timed out after ${goDuration(options.timeoutMs)}`,
    };
  return { ok: result.exitCode === 0, output };
}

interface HttpGet {
  readonly path?: string | undefined;
  readonly port: number | string;
  readonly host?: string | undefined;
  readonly scheme?: string | undefined;
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[] | undefined;
}

export function urlOf(get: HttpGet, target: ProbeTarget): string {
  const host = get.host === undefined || get.host === '' ? target.ip : get.host;
  const address = host.includes(':') ? `[${host}]` : host;
  const scheme = (get.scheme ?? 'HTTP').toLowerCase();
  const path = get.path ?? '';
  const slash = path.startsWith('/') ? '' : '/';
  return `${scheme}://${address}:${portOf(get.port, target.spec)}${slash}${path}`;
}

async function httpProbe(
  { net, minor }: ProbeTools,
  target: ProbeTarget,
  options: { readonly get: HttpGet; readonly timeoutMs: number },
): Promise<ProbeResult> {
  const first = urlOf(options.get, target);
  let url = first;
  for (let hops = 0; ; hops++) {
    const headers = headersOf(options.get, minor);
    const answer = await net.http({ url, headers }, options.timeoutMs);
    const { status, body, location } = answer;
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = new URL(location, url);
      if (next.hostname !== new URL(first).hostname)
        return {
          ok: true,
          warning: true,
          output: 'Probe terminated redirects, Response body: ' + body,
        };
      if (hops >= redirectsMax)
        return { ok: false, output: `Get ${JSON.stringify(first)}: stopped after 10 redirects` };
      url = next.href;
      continue;
    }
    if (status >= 200 && status < 400) return { ok: true, output: body };
    return { ok: false, output: `HTTP probe failed with statuscode: ${status}` };
  }
}

function headersOf(get: HttpGet, minor: string): readonly (readonly [string, string])[] {
  const own = (get.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
  const has = (name: string): boolean => own.some(([other]) => other.toLowerCase() === name);
  return [
    ...own,
    ...(has('user-agent') ? [] : [['User-Agent', `kube-probe/${minor}`] as const]),
    ...(has('accept') ? [] : [['Accept', '*/*'] as const]),
    ['Connection', 'close'],
  ];
}

/** A port by number or by the container's name for it. */
export function portOf(port: unknown, spec: ContainerSpec): number {
  const number = typeof port === 'number' ? port : Number(port);
  if (Number.isInteger(number)) {
    if (number > 0 && number < 65_536) return number;
    throw new Error(`invalid port number: ${number}`);
  }
  const named = spec.ports?.find(({ name }) => name === port);
  if (named === undefined) throw new Error(`couldn't find port: ${JSON.stringify(port)}`);
  return named.containerPort;
}

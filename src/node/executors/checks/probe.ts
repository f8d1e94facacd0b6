import type { ByteSocket, Clock } from '#base';
import type { ProbeNet } from '#io';
import type { CommandInfo } from '#mesos/protocol';
import type { Container, Runtime } from '#node/runtime';

/** What a check looks at. Defaults of the .proto files are filled in. */
export type CheckTarget =
  | { readonly kind: 'command'; readonly command: CommandInfo }
  | {
      readonly kind: 'http';
      readonly scheme: string;
      readonly port: number;
      readonly path: string;
      readonly ipv6: boolean;
    }
  | { readonly kind: 'tcp'; readonly port: number; readonly ipv6: boolean };

export type CheckOutcome =
  | { readonly kind: 'command'; readonly exitCode: number }
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'tcp'; readonly succeeded: boolean }
  /** The check itself could not be made, or took too long. */
  | { readonly kind: 'none'; readonly message: string };

export interface ProbePlace {
  readonly runtime: Runtime;
  readonly net: ProbeNet;
  readonly clock: Clock;
  readonly container: Container;
  /** '' on the node's own network. */
  readonly sandboxIp: string;
}

/** Without a timeout Mesos waits for ever; we do not. */
const timeoutMsMax = 3_600_000;
// curl(1), --max-redirs
const redirectsMax = 50;

/** One look, as the checker library of Mesos makes it (src/checks/checker_process.cpp). */
export async function probe(
  place: ProbePlace,
  target: CheckTarget,
  timeoutMs: number,
): Promise<CheckOutcome> {
  const withinMs = timeoutMs <= 0 ? timeoutMsMax : timeoutMs;
  try {
    if (target.kind === 'command') return await runCommand(place, target.command, withinMs);
    const look =
      target.kind === 'tcp' ? connect(place, target, withinMs) : request(place, target, withinMs);
    return await inTime(look, place.clock, withinMs);
  } catch (error) {
    return { kind: 'none', message: error instanceof Error ? error.message : String(error) };
  }
}

/** Whoever connects within a container's network has no timeout of its own. */
async function inTime(
  look: Promise<CheckOutcome>,
  clock: Clock,
  timeoutMs: number,
): Promise<CheckOutcome> {
  const { promise, resolve } = Promise.withResolvers<CheckOutcome>();
  const message = `Timed out after ${timeoutMs / 1000}secs`;
  const cancel = clock.after(timeoutMs, () => resolve({ kind: 'none', message }));
  try {
    return await Promise.race([look, promise]);
  } finally {
    cancel();
  }
}

async function runCommand(
  { runtime, container }: ProbePlace,
  command: CommandInfo,
  timeoutMs: number,
): Promise<CheckOutcome> {
  const result = await runtime.execSync(container.id, {
    command: argumentsOf(command),
    timeoutMs,
    outputBytesMax: 4096,
  });
  if (result.timedOut)
    return { kind: 'none', message: `Command has not returned after ${timeoutMs / 1000}secs` };
  return { kind: 'command', exitCode: result.exitCode };
}

/** argv of a CommandInfo; its own variables come by env(1), which every image with a shell has. */
export function argumentsOf(command: CommandInfo): readonly string[] {
  const { shell = true, value = '', arguments: args = [], environment } = command;
  const argv = shell ? ['/bin/sh', '-c', value] : [value, ...args.slice(1)];
  const variables = (environment?.variables ?? []).flatMap(({ name, value: text }) =>
    text === undefined ? [] : [`${name}=${text}`],
  );
  return variables.length === 0 ? argv : ['/usr/bin/env', ...variables, ...argv];
}

async function connect(
  place: ProbePlace,
  target: { readonly port: number; readonly ipv6: boolean },
  timeoutMs: number,
): Promise<CheckOutcome> {
  try {
    if (place.sandboxIp === '') await place.net.tcp(loopback(target), target.port, timeoutMs);
    else (await place.runtime.dial(place.container.sandboxId, target.port)).destroy();
    return { kind: 'tcp', succeeded: true };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kind: 'tcp', succeeded: false };
  }
}

function loopback({ ipv6 }: { readonly ipv6: boolean }): string {
  return ipv6 ? '::1' : '127.0.0.1';
}

async function request(
  place: ProbePlace,
  target: Extract<CheckTarget, { kind: 'http' }>,
  timeoutMs: number,
): Promise<CheckOutcome> {
  const host = loopback(target);
  const shown = host.includes(':') ? `[${host}]` : host;
  let url = new URL(`${target.scheme}://${shown}:${target.port}${target.path}`);
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const { status, location } = await get(place, url, timeoutMs);
    if (status < 300 || status >= 400 || location === undefined) return { kind: 'http', status };
    url = new URL(location, url);
  }
  return { kind: 'none', message: `Maximum (${redirectsMax}) redirects followed` };
}

async function get(
  place: ProbePlace,
  url: URL,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly location: string | undefined }> {
  const inside = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (place.sandboxIp === '' || !inside)
    return place.net.http({ url: url.href, headers: [['Accept', '*/*']] }, timeoutMs);
  if (url.protocol === 'https:') {
    const there = new URL(url);
    there.hostname = place.sandboxIp;
    return place.net.http({ url: there.href, headers: [['Accept', '*/*']] }, timeoutMs);
  }
  const socket = await place.runtime.dial(
    place.container.sandboxId,
    Number(url.port === '' ? 80 : url.port),
  );
  try {
    return await getOver(socket, url);
  } finally {
    socket.destroy();
  }
}

const headBytesMax = 64 * 1024;

/** A GET over a stream that is open already; nothing but the head of the answer is read. */
async function getOver(
  socket: ByteSocket,
  url: URL,
): Promise<{ readonly status: number; readonly location: string | undefined }> {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Accept: */*',
    'Connection: close',
  ];
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  let head = '';
  for await (const chunk of socket.incoming) {
    head += Buffer.from(chunk).toString('latin1');
    if (head.includes('\r\n\r\n') || head.length > headBytesMax) break;
  }
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status === undefined) throw new Error('Empty reply from server');
  const location = /\r\nlocation: *([^\r\n]*)/i.exec(head.split('\r\n\r\n')[0] ?? '')?.[1];
  return { status: Number(status), location };
}

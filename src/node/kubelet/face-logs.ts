import type { FaceReply, Sink } from '#base';
import type { OpenFile } from '#io';
import type { Container } from '#node/runtime';
import { containersOf, text } from './face-call.ts';
import type { FaceCall, FaceContext } from './face-call.ts';
import { parseLogLine } from './log-lines.ts';

interface LogQuery {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly sinceMs: number | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

const blockBytes = 64 * 1024;
const lineBytesMax = 1024 * 1024;
const newline = 0x0a;
/** A change the file system does not tell (another host's mount) is found this late. */
const quietMsMax = 1000;

export async function containerLogs(call: FaceCall): Promise<FaceReply> {
  const { context, pod, container: name, query } = call;
  const found = findContainer(call, query.get('previous') === 'true');
  if (typeof found === 'string') return text(400, found);
  const options = parse(query, context.options.clock.nowMs());
  if (typeof options === 'string') return text(422, options);
  const path = context.options.runtime.logPath(found.id);
  return {
    status: 200,
    headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
    async body(sink, signal) {
      const reader = new LogReader(context, found, { path, options, sink });
      await reader.run(signal).catch((error: unknown) => {
        if (!signal.aborted)
          context.options.logger.info('Cannot read a log', {
            pod: pod.metadata.name,
            container: name,
            error,
          });
      });
    },
  };
}

/** The container whose log is meant, or why there is none, in the reference's words. */
function findContainer(call: FaceCall, previous: boolean): Container | string {
  const { context, pod, container: name } = call;
  const all = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []),
    ...(pod.spec.ephemeralContainers ?? []),
  ];
  const { name: podName } = pod.metadata;
  if (!all.some((spec) => spec.name === name))
    return `container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)} is not available`;
  const [newest, second] = containersOf(context, pod, name);
  const { status } = pod;
  const statuses = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const waiting = statuses.find((item) => item.name === name)?.state.waiting;
  if (previous) {
    const last = newest?.state === 'exited' && waiting !== undefined ? newest : second;
    if (last !== undefined) return last;
    return `previous terminated container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)} not found`;
  }
  if (newest !== undefined && newest.state !== 'created') return newest;
  if (second !== undefined) return second;
  const where = `container ${JSON.stringify(name)} in pod ${JSON.stringify(podName)} is waiting to start`;
  if (waiting?.reason === 'ErrImagePull') return `${where}: image can't be pulled`;
  if (waiting?.reason === 'ImagePullBackOff') return `${where}: trying and failing to pull image`;
  return `${where}: ${waiting?.reason ?? 'ContainerCreating'}`;
}

function parse(query: URLSearchParams, nowMs: number): LogQuery | string {
  const number = (key: string): number | undefined => {
    const value = query.get(key);
    return value === null || value === '' ? undefined : Number(value);
  };
  const sinceSeconds = number('sinceSeconds');
  const tailLines = number('tailLines');
  const limitBytes = number('limitBytes');
  const sinceTime = query.get('sinceTime');
  if (tailLines !== undefined && !(tailLines >= 0))
    return 'tailLines: Invalid value: must be greater than or equal to 0';
  if (limitBytes !== undefined && !(limitBytes > 0))
    return 'limitBytes: Invalid value: must be greater than 0';
  if (sinceSeconds !== undefined && !(sinceSeconds > 0))
    return 'sinceSeconds: Invalid value: must be greater than 0';
  const stream = query.get('stream') ?? 'All';
  const since = sinceTime === null || sinceTime === '' ? undefined : Date.parse(sinceTime);
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    sinceMs: sinceSeconds === undefined ? since : nowMs - sinceSeconds * 1000,
    tailLines,
    limitBytes,
    stream: stream === 'Stdout' || stream === 'Stderr' ? stream : 'All',
  };
}

/** Reads a log from where it should begin, and on as it grows. */
class LogReader {
  readonly #context: FaceContext;
  readonly #container: Container;
  readonly #path: string;
  readonly #options: LogQuery;
  readonly #sink: Sink;
  #rest: Buffer = Buffer.alloc(0);
  #atLineStart = true;
  #leftBytes: number;

  constructor(
    context: FaceContext,
    container: Container,
    about: { readonly path: string; readonly options: LogQuery; readonly sink: Sink },
  ) {
    this.#context = context;
    this.#container = container;
    this.#path = about.path;
    this.#options = about.options;
    this.#sink = about.sink;
    this.#leftBytes = about.options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { files, runtime } = this.#context.options;
    let file = await files.open(this.#path);
    if (file === undefined) return;
    let offset = await startOf(file, this.#options.tailLines);
    try {
      while (!signal.aborted && this.#leftBytes > 0) {
        // Asked before reading: what is written before the end is read after it.
        const state = runtime.container(this.#container.id)?.state;
        const chunk = await file.read(offset, blockBytes);
        offset += chunk.length;
        if (chunk.length > 0) {
          await this.#take(chunk);
          continue;
        }
        if (!this.#options.follow) return;
        if (!(await file.current())) {
          const next = await files.open(this.#path);
          if (next === undefined) return;
          await file.close();
          file = next;
          offset = 0;
          continue;
        }
        if (state !== 'running') return;
        await this.#quiet(signal);
      }
    } finally {
      await file.close();
    }
  }

  /** Until the file or the container changes. */
  async #quiet(signal: AbortSignal): Promise<void> {
    const { files, runtime, clock } = this.#context.options;
    const done = new AbortController();
    using _file = files.onChange(this.#path, () => done.abort());
    using _state = runtime.onChange(({ id }) => {
      if (id === this.#container.id) done.abort();
    });
    await clock.sleep(quietMsMax, AbortSignal.any([signal, done.signal])).catch(() => undefined);
  }

  async #take(chunk: Uint8Array): Promise<void> {
    let bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const out: Uint8Array[] = [];
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
      this.#line(bytes.subarray(0, end), out);
      bytes = bytes.subarray(end + 1);
    }
    this.#rest = bytes.length > lineBytesMax ? Buffer.alloc(0) : Buffer.from(bytes);
    const whole = Buffer.concat(out).subarray(0, this.#leftBytes);
    this.#leftBytes -= whole.length;
    if (whole.length > 0 && !this.#sink.write(whole)) await this.#sink.drained();
  }

  #line(bytes: Uint8Array, out: Uint8Array[]): void {
    const line = parseLogLine(bytes);
    if (line === undefined) return;
    const { stream, sinceMs, timestamps } = this.#options;
    if (stream !== 'All' && stream.toLowerCase() !== line.stream) return;
    if (sinceMs !== undefined && Date.parse(line.time) < sinceMs) return;
    if (timestamps && this.#atLineStart) out.push(Buffer.from(`${line.time} `));
    out.push(line.text);
    if (line.whole) out.push(Buffer.from('\n'));
    this.#atLineStart = line.whole;
  }
}

/** Offset of the first of the last `lines` lines, found from the end. */
async function startOf(file: OpenFile, lines: number | undefined): Promise<number> {
  if (lines === undefined) return 0;
  const size = await file.size();
  if (lines === 0) return size;
  let wanted = lines;
  let end = size;
  // The newline that ends the last line starts none.
  let first = true;
  while (end > 0) {
    const begin = Math.max(0, end - blockBytes);
    const block = await file.read(begin, end - begin);
    for (let at = block.length - 1; at >= 0; at--) {
      if (block[at] !== newline) {
        first = false;
        continue;
      }
      if (first) {
        first = false;
        continue;
      }
      wanted--;
      if (wanted === 0) return begin + at + 1;
    }
    end = begin;
  }
  return 0;
}

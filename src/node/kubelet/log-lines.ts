/** One line of a container's log in CRI format: `<RFC3339Nano> <stdout|stderr> <P|F> <text>`. */
export interface LogLine {
  readonly time: string;
  readonly stream: string;
  /** False: the text goes on in the next line. */
  readonly whole: boolean;
  readonly text: Uint8Array;
}

const space = 0x20;

/** Undefined when it is no such line (cut off at the start of a tail). */
export function parseLogLine(line: Uint8Array): LogLine | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const head = Buffer.from(line.buffer, line.byteOffset, third).toString('latin1').split(' ');
  const [time = '', stream = '', tag = ''] = head;
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'P' && tag !== 'F'))
    return undefined;
  // conmon writes UTC as "+00:00", readers expect Go's RFC3339Nano.
  return {
    time: time.replace('+00:00', 'Z'),
    stream,
    whole: tag === 'F',
    text: line.subarray(third + 1),
  };
}

/** The words of the last `linesMax` lines, without times. */
export function logText(log: string, linesMax: number): string {
  const parts: string[] = [];
  for (const line of log.split('\n')) {
    const parsed = parseLogLine(Buffer.from(line));
    if (parsed === undefined) continue;
    parts.push(Buffer.from(parsed.text).toString() + (parsed.whole ? '\n' : ''));
  }
  const lines = parts.join('').split('\n');
  // What a program wrote without an end of line has none here either.
  const ended = lines.at(-1) === '';
  if (ended) lines.pop();
  return lines.slice(-linesMax).join('\n') + (ended && lines.length > 0 ? '\n' : '');
}

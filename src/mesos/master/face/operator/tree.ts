import type { Clock } from '#base';
import type { MessageCodec, MessageName, Messages } from '#mesos/protocol';

/**
 * Answers that may be large: a message whose lists are encoded one element at a time, in either
 * encoding, so that nobody waits until a cluster of fifty thousand tasks is written.
 */
export interface Tree {
  readonly members: readonly Member[];
}
export type Member = ListMember | TreeMember | ScalarMember;

/** A repeated field. In JSON it stands there also when it is empty, as in the v1 GET_ calls. */
export interface ListMember {
  readonly kind: 'list';
  readonly name: string;
  readonly number: number;
  readonly elements: Iterable<Encodable>;
}
/** A message made of members. */
export interface TreeMember extends Tree {
  readonly kind: 'tree';
  readonly name: string;
  readonly number: number;
}
/** A small field in both forms; `protobuf` has its tag. */
export interface ScalarMember {
  readonly kind: 'scalar';
  readonly name: string;
  readonly json: string;
  readonly protobuf: Uint8Array;
}
/** A message that is not encoded yet. */
export interface Encodable {
  json(codec: MessageCodec): string;
  protobuf(codec: MessageCodec): Uint8Array;
}

export function listOf<Name extends MessageName>(
  { name, number, type }: { readonly name: string; readonly number: number; readonly type: Name },
  messages: Iterable<Messages[Name]>,
): ListMember {
  return { kind: 'list', name, number, elements: encodables(type, messages) };
}

function* encodables<Name extends MessageName>(
  type: Name,
  messages: Iterable<Messages[Name]>,
): Iterable<Encodable> {
  for (const message of messages)
    yield {
      json: (codec) => codec.encodeJson(type, message),
      protobuf: (codec) => codec.encodeProtobuf(type, message),
    };
}

export function treeOf(name: string, number: number, members: readonly Member[]): TreeMember {
  return { kind: 'tree', name, number, members };
}

export function* jsonPieces(codec: MessageCodec, { members }: Tree): Iterable<string> {
  let before = '{';
  for (const member of members) {
    yield `${before}${JSON.stringify(member.name)}:`;
    before = ',';
    if (member.kind === 'scalar') yield member.json;
    else if (member.kind === 'tree') yield* jsonPieces(codec, member);
    else {
      let between = '[';
      for (const element of member.elements) {
        yield between + element.json(codec);
        between = ',';
      }
      yield between === '[' ? '[]' : ']';
    }
  }
  yield before === '{' ? '{}' : '}';
}

/** Bytes in slices, and how many there are. */
export interface Slices {
  readonly slices: Uint8Array[];
  bytes: number;
}

/** The tree as protobuf; others get their turn while it is made. */
export async function protobufSlices(
  { codec, clock }: { readonly codec: MessageCodec; readonly clock: Clock },
  tree: Tree,
): Promise<Slices> {
  const breath = breather(clock);
  const write = async ({ members }: Tree, into: Slices): Promise<void> => {
    for (const member of members) {
      if (member.kind === 'scalar') add(into, member.protobuf);
      else if (member.kind === 'tree') {
        const inner: Slices = { slices: [], bytes: 0 };
        await write(member, inner);
        add(into, lengthHead(member.number, inner.bytes));
        for (const slice of inner.slices) add(into, slice);
      } else
        for (const element of member.elements) {
          const bytes = element.protobuf(codec);
          add(into, lengthHead(member.number, bytes.length));
          add(into, bytes);
          const pause = breath();
          if (pause !== undefined) await pause;
        }
    }
  };
  const whole: Slices = { slices: [], bytes: 0 };
  await write(tree, whole);
  return whole;
}

/** The tree as JSON in slices, made the same way. */
export async function jsonSlices(
  { codec, clock }: { readonly codec: MessageCodec; readonly clock: Clock },
  tree: Tree,
): Promise<Slices> {
  const breath = breather(clock);
  const whole: Slices = { slices: [], bytes: 0 };
  for (const piece of jsonPieces(codec, tree)) {
    add(whole, Buffer.from(piece));
    const pause = breath();
    if (pause !== undefined) await pause;
  }
  return whole;
}

const sliceMs = 3;

/** Called after each piece of work; gives a promise to wait for when others should have a turn. */
function breather(clock: Clock): () => Promise<void> | undefined {
  let untilMs = clock.monotonicMs() + sliceMs;
  let count = 0;
  return () => {
    // Looking at the clock costs about as much as a small message.
    if (++count % 4 !== 0 || clock.monotonicMs() < untilMs) return undefined;
    return clock.sleep(0).then(() => {
      untilMs = clock.monotonicMs() + sliceMs;
    });
  };
}

function add(into: Slices, bytes: Uint8Array): void {
  into.slices.push(bytes);
  into.bytes += bytes.length;
}

function lengthHead(number: number, length: number): Uint8Array {
  return Uint8Array.from([...varint((number << 3) | 2), ...varint(length)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

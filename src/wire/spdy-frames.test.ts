import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, createInflate } from 'node:zlib';
import { SpdyError, SpdyReader, SpdyWriter } from './spdy-frames.ts';
import type { SpdyFrame } from './spdy-frames.ts';

type Sent = Parameters<SpdyWriter['encode']>[0];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

async function encoded(...frames: readonly Sent[]): Promise<Buffer> {
  const writer = new SpdyWriter();
  const parts: Uint8Array[] = [];
  for (const frame of frames) parts.push(await writer.encode(frame));
  return Buffer.concat(parts);
}

test('the dictionary is the one of the protocol: its Adler-32 stands in every first header block', async () => {
  const frame = await encoded({
    type: 'synStream',
    streamId: 1,
    fin: false,
    headers: { streamtype: 'error' },
  });
  // After the header (8 bytes), two stream ids and two bytes of priority: zlib with FDICT, e3c6a7c2.
  const block = frame.subarray(18);
  assert.equal((block[1] ?? 0) & 0x20, 0x20);
  assert.equal(hex(block.subarray(2, 6)), 'e3c6a7c2');
});

test('without the dictionary nobody reads a header block', async () => {
  const frame = await encoded({ type: 'synReply', streamId: 1, fin: false, headers: { a: 'b' } });
  const inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
  const failed = new Promise<Error>((resolve) => inflate.once('error', resolve));
  inflate.write(frame.subarray(12));
  assert.match((await failed).message, /dictionary/i);
});

const plain: readonly { readonly frame: Sent; readonly wire: string }[] = [
  {
    frame: { type: 'data', streamId: 5, fin: false, data: Buffer.from('hi') },
    wire: '00000005 00000002 6869',
  },
  {
    frame: { type: 'data', streamId: 0x7fffffff, fin: true, data: new Uint8Array() },
    wire: '7fffffff 01000000',
  },
  {
    frame: { type: 'rstStream', streamId: 3, status: 5 },
    wire: '80030003 00000008 00000003 00000005',
  },
  { frame: { type: 'ping', id: 0xfffffffe }, wire: '80030006 00000004 fffffffe' },
  {
    frame: { type: 'goAway', lastStreamId: 9, status: 0 },
    wire: '80030007 00000008 00000009 00000000',
  },
];
for (const { frame, wire } of plain)
  test(`a ${frame.type} frame has the bytes of the draft and reads back`, async () => {
    assert.equal(hex(await encoded(frame)), wire.replaceAll(' ', ''));
    const [back] = await new SpdyReader().read(bytes(wire));
    assert.deepEqual(JSON.stringify(back), JSON.stringify({ ...frame, ...dataOf(frame) }));
  });
/** Bytes print alike whether they came as a Buffer or not. */
function dataOf(frame: Sent): object {
  return frame.type === 'data' ? { data: new Uint8Array(frame.data) } : {};
}

test('header blocks share one compression: later ones are shorter, and all read back', async () => {
  const headers = { streamtype: 'data', port: '8080', requestid: '0' };
  const writer = new SpdyWriter();
  const first = await writer.encode({ type: 'synStream', streamId: 1, fin: false, headers });
  const second = await writer.encode({ type: 'synStream', streamId: 3, fin: true, headers });
  const reply = await writer.encode({ type: 'synReply', streamId: 1, fin: false, headers: {} });
  assert.ok(second.length < first.length);
  const frames = await new SpdyReader().read(Buffer.concat([first, second, reply]));
  assert.deepEqual(
    frames.map((frame) => ({
      ...frame,
      ...('headers' in frame ? { headers: { ...frame.headers } } : {}),
    })),
    [
      { type: 'synStream', streamId: 1, fin: false, headers },
      { type: 'synStream', streamId: 3, fin: true, headers },
      { type: 'synReply', streamId: 1, fin: false, headers: {} },
    ],
  );
});

test('frames cut anywhere are put together again', async () => {
  const sent: readonly Sent[] = [
    { type: 'synStream', streamId: 1, fin: false, headers: { streamtype: 'stdin' } },
    { type: 'data', streamId: 1, fin: false, data: Buffer.from('some bytes') },
    { type: 'data', streamId: 1, fin: true, data: new Uint8Array() },
    { type: 'ping', id: 1 },
  ];
  const wire = await encoded(...sent);
  for (let piece = 1; piece < wire.length; piece += 3) {
    const reader = new SpdyReader();
    const frames: SpdyFrame[] = [];
    for (let at = 0; at < wire.length; at += piece)
      frames.push(...(await reader.read(wire.subarray(at, at + piece))));
    assert.deepEqual(
      frames.map(({ type }) => type),
      sent.map(({ type }) => type),
      `pieces of ${piece}`,
    );
  }
});

test('settings, windows and what nobody knows are read and told apart', async () => {
  const wire = '80030004 00000004 00000000 80030009 00000008 00000001 00010000 8003000a 00000000';
  const frames = await new SpdyReader().read(bytes(wire));
  assert.deepEqual(
    frames.map(({ type }) => type),
    ['settings', 'windowUpdate', 'unknown'],
  );
});

const broken: readonly { readonly name: string; readonly wire: string; readonly why: RegExp }[] = [
  { name: 'another version', wire: '80020001 00000000', why: /version is 2/ },
  {
    name: 'a header block that is no zlib',
    wire: '80030002 00000008 00000001 ffffffff',
    why: /Cannot read headers/,
  },
];
for (const { name, wire, why } of broken)
  test(`${name} is refused`, async () => {
    await assert.rejects(new SpdyReader().read(bytes(wire)), (cause: Error) => {
      assert.ok(cause instanceof SpdyError);
      assert.match(cause.message, why);
      return true;
    });
  });

test('a header block that swells beyond its bound is refused', async () => {
  const headers = { bomb: 'x'.repeat(200_000) };
  const wire = await encoded({ type: 'synStream', streamId: 1, fin: false, headers });
  assert.ok(wire.length < 2_000);
  await assert.rejects(new SpdyReader().read(wire), /too long/);
});

test('names like those of Object.prototype are headers like others', async () => {
  const headers = { ['__proto__']: 'a', constructor: 'b' };
  const wire = await encoded({ type: 'synStream', streamId: 1, fin: false, headers });
  const [frame] = await new SpdyReader().read(wire);
  assert.ok(frame?.type === 'synStream');
  assert.deepEqual(Object.entries(frame.headers), Object.entries(headers));
});

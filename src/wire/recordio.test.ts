import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordDecoder, RecordError, encodeRecord, encodeTextRecord } from './recordio.ts';

function textOf(records: readonly Uint8Array[]): string[] {
  return records.map((record) => Buffer.from(record).toString('utf8'));
}

test('A record is its length in bytes, a line feed and its bytes', () => {
  assert.equal(Buffer.from(encodeTextRecord('{"a":"é"}')).toString(), '10\n{"a":"é"}');
  assert.equal(Buffer.from(encodeRecord(Buffer.from('hi'))).toString(), '2\nhi');
});

test('Records come out whole however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      (records, cuts) => {
        const stream = Buffer.concat(records.map(encodeRecord));
        const decoder = new RecordDecoder({ recordBytesMax: 64 });
        const out: Uint8Array[] = [];
        let at = 0;
        for (let cut = 0; at < stream.length; cut++) {
          const size = cuts[cut % cuts.length] ?? 1;
          out.push(...decoder.push(stream.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(out.map(Buffer.from), records.map(Buffer.from));
        assert.ok(decoder.atBoundary);
      },
    ),
  );
});

test('Records of no length are records', () => {
  const decoder = new RecordDecoder({ recordBytesMax: 8 });
  assert.deepEqual(textOf(decoder.push(Buffer.from('0\n0\n2\nab'))), ['', '', 'ab']);
});

for (const { header, text } of [
  { header: 'abc\n', text: "Failed to decode length 'abc': Failed to convert 'abc' to number" },
  { header: '\n', text: "Failed to decode length '': Failed to convert '' to number" },
  { header: ' 5\n', text: "Failed to decode length ' 5': Failed to convert ' 5' to number" },
  { header: '9\n', text: "Failed to decode length '9': record is longer than 8 bytes" },
  { header: '-1\n', text: "Failed to decode length '-1': record is longer than 8 bytes" },
]) {
  test(`A header ${JSON.stringify(header)} fails the decoder for good`, () => {
    const decoder = new RecordDecoder({ recordBytesMax: 8 });
    assert.throws(() => decoder.push(Buffer.from(header)), new RecordError(text));
    assert.throws(
      () => decoder.push(Buffer.from('1\na')),
      new RecordError('Decoder is in a FAILED state'),
    );
  });
}

test('A header without end is not gathered for ever', () => {
  const decoder = new RecordDecoder({ recordBytesMax: 8 });
  assert.throws(() => decoder.push(Buffer.alloc(1000, 0x31)), /Failed to decode length '1{21}'/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';

test('Doubles and bytes survive the growing of the buffer', () => {
  for (let filled = 0; filled < 20; filled++) {
    const writer = new ProtobufWriter(16);
    writer.bytes(Buffer.alloc(filled, 7));
    writer.double(2.5);
    writer.bytes(Buffer.from('abcdefgh'));
    const reader = new ProtobufReader(writer.take());
    assert.equal(Buffer.from(reader.bytes.subarray(0, 8)).toString(), 'abcdefgh');
    reader.at = 8;
    assert.equal(reader.double(), 2.5);
    assert.deepEqual(reader.bytes.subarray(16), Buffer.alloc(filled, 7));
  }
});

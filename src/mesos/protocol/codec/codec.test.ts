import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import facts from '../facts/messages.json' with { type: 'json' };
import type { Messages } from '../types.ts';
import { createMessageCodec } from './codec.ts';
import type { MessageName } from './codec.ts';
import { asciiJson, doubleText } from './json-encode.ts';
import { MessageError } from './json-text.ts';
import { Schemas } from './schema.ts';
import type { FieldSchema, MessageFacts } from './schema.ts';

const table = facts as MessageFacts;
const codec = createMessageCodec(table);
const schemas = new Schemas(table);

/** Any valid message of a type, nested messages included down to `depth`. */
function anyMessage(type: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const required: Record<string, fc.Arbitrary<unknown>> = {};
  const optional: Record<string, fc.Arbitrary<unknown>> = {};
  const oneofs = new Set<string>();
  for (const field of schemas.message(type).fields) {
    if (field.label === 'required') required[field.name] = anyValue(field, depth);
    else if (depth > 0 || field.type.kind !== 'message') {
      if (field.oneof !== undefined && oneofs.has(field.oneof)) continue;
      if (field.oneof !== undefined) oneofs.add(field.oneof);
      optional[field.name] = anyField(field, depth);
    }
  }
  return fc
    .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
    .map(([a, b]) => ({ ...a, ...b }));
}

function anyField(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  const one = anyValue(field, depth);
  if (field.label === 'repeated') return fc.array(one, { minLength: 1, maxLength: 3 });
  if (field.label === 'map')
    return fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 6 }), one), {
        minLength: 1,
        maxLength: 3,
        selector: ([key]) => key,
      })
      .map((entries) => Object.fromEntries(entries));
  return one;
}

function anyValue({ type }: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  if (type.kind === 'message') return anyMessage(type.name, depth - 1);
  if (type.kind === 'enum') {
    const firstNames = new Map([...type.values].toReversed().map(([name, code]) => [code, name]));
    return fc.constantFrom(...firstNames.values());
  }
  const safe = Number.MAX_SAFE_INTEGER;
  const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    string: fc.string({ unit: 'binary', maxLength: 40 }),
    bytes: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    bool: fc.boolean(),
    double: fc.double({ noDefaultInfinity: false, noNaN: false }),
    int32: fc.integer(),
    uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    int64: fc.integer({ min: -safe, max: safe }),
    uint64: fc.integer({ min: 0, max: safe }),
  };
  return scalars[type.name] ?? assert.fail(`No arbitrary for ${type.name}`);
}

/** Unset fields that have a default are written, so they are set when read back. */
function withDefaults(type: string, message: Record<string, unknown>): Record<string, unknown> {
  const full: Record<string, unknown> = {};
  for (const field of schemas.message(type).fields) {
    const value = message[field.name];
    const inner = (one: unknown): unknown =>
      field.type.kind === 'message'
        ? withDefaults(field.type.name, one as Record<string, unknown>)
        : one;
    if (value === undefined) {
      if (field.default !== undefined && !field.deprecated) full[field.name] = field.default;
    } else if (field.label === 'repeated') full[field.name] = (value as unknown[]).map(inner);
    else if (field.label === 'map')
      full[field.name] = Object.fromEntries(
        Object.entries(value as object).map(([key, one]) => [key, inner(one)]),
      );
    else full[field.name] = inner(value);
  }
  return full;
}

test('Every message comes back from JSON as it was, with its defaults', () => {
  for (const type of schemas.names as readonly MessageName[])
    fc.assert(
      fc.property(anyMessage(type, 2), (message) => {
        const text = codec.encodeJson(type, message as unknown as Messages[typeof type]);
        const back = codec.decodeJson(type, text, { bareNonFinite: true });
        assert.deepEqual(back, withDefaults(type, message));
        const ascii = codec.decodeJson(type, asciiJson(text), { bareNonFinite: true });
        assert.deepEqual(ascii, back);
      }),
      { numRuns: 4, seed: 7 },
    );
});

test('Nanoseconds of today go out as they came', () => {
  const json = '{"start":{"nanoseconds":1795284349709000000}}';
  const message = codec.decodeJson('Unavailability', json);
  assert.equal(codec.encodeJson('Unavailability', message), json);
  const bytes = codec.encodeProtobuf('Unavailability', message);
  // Field 1 of field 1, as a varint.
  let varint = 0n;
  for (const [at, byte] of bytes.subarray(3).entries())
    varint |= BigInt(byte & 0x7f) << BigInt(7 * at);
  assert.equal(varint, 1_795_284_349_709_000_000n);
});

test('Every message comes back from protobuf as it was', () => {
  for (const type of schemas.names as readonly MessageName[])
    fc.assert(
      fc.property(anyMessage(type, 2), (message) => {
        const bytes = codec.encodeProtobuf(type, message as unknown as Messages[typeof type]);
        assert.deepEqual(codec.decodeProtobuf(type, bytes), message);
      }),
      { numRuns: 4, seed: 11 },
    );
});

test('No field is named as something that every object inherits', () => {
  for (const type of schemas.names)
    for (const { name } of schemas.message(type).fields)
      assert.ok(!(name in {}), `${type}.${name}`);
});

test('Protobuf follows the field numbers', () => {
  // framework_id = 1 {value = 1 "f"}, type = 2 KILL (6), kill = 6 {task_id = 1 {value = 1 "t"}}.
  const call = {
    framework_id: { value: 'f' },
    type: 'KILL',
    kill: { task_id: { value: 't' } },
  } as const;
  assert.equal(
    Buffer.from(codec.encodeProtobuf('scheduler.Call', call)).toString('hex'),
    '0a030a016610063205' + '0a030a0174',
  );
  // scalar = 3 {value = 1, double 2.5}; name = 1 "cpus", type = 2 SCALAR (0).
  const resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 2.5 } } as const;
  assert.equal(
    Buffer.from(codec.encodeProtobuf('Resource', resource)).toString('hex'),
    '0a04637075731000' + '1a09090000000000000440',
  );
});

test('JSON has the order of the .proto, defaults that are not deprecated, and a point in doubles', () => {
  assert.equal(
    codec.encodeJson('FrameworkInfo', { name: 'n', user: 'u', roles: ['a', 'b'] }),
    '{"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false,"roles":["a","b"]}',
  );
  assert.equal(
    codec.encodeJson('CommandInfo', { value: 'sleep 1', arguments: [] }),
    '{"shell":true,"value":"sleep 1"}',
  );
  assert.equal(
    codec.encodeJson('Unavailability', { start: { nanoseconds: 1_700_000_000_000_000_000 } }),
    '{"start":{"nanoseconds":1700000000000000000}}',
  );
  assert.equal(
    codec.encodeJson('TaskInfo', {
      name: 'é\u0001',
      task_id: { value: 't' },
      agent_id: { value: 'a' },
      limits: { cpus: { value: Number.POSITIVE_INFINITY } },
    }),
    '{"name":"é\\u0001","task_id":{"value":"t"},"agent_id":{"value":"a"},"limits":{"cpus":{"value":Infinity}}}',
  );
});

test('Doubles are printed as the reference prints them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [0.1, '0.1'],
    [1e21, '1e21'],
    [1e20, '100000000000000000000.0'],
    [1.5e300, '1.5e300'],
    [1e-7, '1e-7'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ];
  for (const [value, text] of cases) assert.equal(doubleText(value), text);
});

test('ASCII JSON says the same in ASCII', () => {
  assert.equal(asciiJson('{"a":"é😀"}'), '{"a":"\\u00e9\\ud83d\\ude00"}');
});

test('Reading is lenient where the reference is', () => {
  const info = codec.decodeJson(
    'FrameworkInfo',
    '{"user":"u","name":"a","name":"b","failover_timeout":"Infinity","checkpoint":"true",' +
      '"roles":"one","principal":null,"unknown":{"deep":[1]},"capabilities":{"type":"NO_SUCH"}}',
  );
  assert.deepEqual(info, {
    user: 'u',
    name: 'b',
    failover_timeout: Number.POSITIVE_INFINITY,
    checkpoint: true,
    roles: ['one'],
    capabilities: [{}],
  });
  assert.deepEqual(codec.decodeJson('TimeInfo', '{"nanoseconds":" 5.9"}'), { nanoseconds: 5 });
  assert.deepEqual(codec.decodeJson('TimeInfo', '{"nanoseconds":007}'), { nanoseconds: 7 });
  assert.deepEqual(codec.decodeJson('Address', '{"port":-1.5}'), { port: -1 });
  assert.deepEqual(codec.decodeJson('scheduler.Call.Message', messageWith('a GVs\\nbG8')), {
    agent_id: { value: 'a' },
    executor_id: { value: 'e' },
    data: 'aGVsbG8=',
  });
});

function messageWith(data: string): string {
  return `{"agent_id":{"value":"a"},"executor_id":{"value":"e"},"data":"${data}"}`;
}

const refusals: readonly (readonly [MessageName, string, string])[] = [
  ['FrameworkInfo', '{"user":true}', "Not expecting a JSON boolean for field 'user'"],
  ['FrameworkInfo', '{"checkpoint":1}', "Not expecting a JSON number for field 'checkpoint'"],
  ['FrameworkInfo', '{"user":["u"]}', "Not expecting a JSON array for field 'user'"],
  ['FrameworkInfo', '{"user":{}}', "Not expecting a JSON object for field 'user'"],
  ['FrameworkInfo', '{"id":"x"}', "Not expecting a JSON string for field 'id'"],
  ['FrameworkInfo', '{"user":true,"name":1}', "Not expecting a JSON number for field 'name'"],
  ['Resource', '{"type":"NO"}', "Failed to find enum for 'NO'"],
  [
    'Address',
    '{"port":"x"}',
    "Failed to parse 'x' as a JSON number for field 'port': syntax error at line 1 near: x",
  ],
  [
    'Address',
    '{"port":"true"}',
    "Failed to parse 'true' as a JSON number for field 'port': Unexpected JSON type parsed",
  ],
  [
    'FrameworkInfo',
    '{"checkpoint":"yes"}',
    "Failed to parse 'yes' as a JSON boolean for field 'checkpoint': syntax error at line 1 near: yes",
  ],
  [
    'scheduler.Call.Message',
    messageWith('a*b'),
    "Failed to base64 decode bytes field 'data': Invalid character '*'",
  ],
  ['FrameworkInfo', '[]', 'Expecting a JSON object'],
  ['FrameworkInfo', '{"id":{}}', 'Missing required fields: user, name, id.value'],
  [
    'TaskInfo',
    '{"name":"n","task_id":{"value":"t"},"resources":[{"name":"cpus","type":"SCALAR"},{"scalar":{}}],"limits":{"cpus":null}}',
    'Missing required fields: agent_id, resources[1].name, resources[1].type, resources[1].scalar.value, limits[0].value.value',
  ],
];
for (const [type, text, message] of refusals) {
  test(`${type} refuses ${text}`, () => {
    assert.throws(() => codec.decodeJson(type, text), new MessageError('content', message));
  });
}

const broken: readonly (readonly [string, string])[] = [
  ['', 'syntax error at line 1 near: '],
  ['{"a":1', 'syntax error at line 1 near: '],
  ['{\n"a" 1}\nrest', 'syntax error at line 2 near: 1}'],
  ['{"a":nul}', 'syntax error at line 1 near: }'],
  ['{"a":Infinity}', 'syntax error at line 1 near: Infinity}'],
  ['{} x', 'Parsed JSON included non-whitespace trailing characters:  x'],
  ['{"a":1e999}', 'Value out of range'],
  [`${'['.repeat(201)}${']'.repeat(201)}`, `syntax error at line 1 near: ${']'.repeat(201)}`],
];
for (const [text, message] of broken) {
  test(`${JSON.stringify(text.slice(0, 40))} is no JSON: ${message.slice(0, 40)}`, () => {
    assert.throws(
      () => codec.decodeJson('scheduler.Event.Error', text),
      (error) => error instanceof MessageError && error.message === message,
    );
  });
}

test('A prototype key stays a key', () => {
  const text =
    '{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"a"},"__proto__":{"source":1},' +
    '"limits":{"__proto__":{"value":1.0}}}';
  const task = codec.decodeJson('TaskInfo', text);
  assert.deepEqual(Object.keys(task.limits ?? {}), ['__proto__']);
  assert.equal(Object.getPrototypeOf(task.limits), Object.prototype);
  assert.match(codec.encodeJson('TaskInfo', task), /"limits":\{"__proto__":\{"value":1.0\}\}/);
  assert.deepEqual(codec.decodeProtobuf('TaskInfo', codec.encodeProtobuf('TaskInfo', task)), task);
});

test('Protobuf drops what it does not know and refuses what is broken', () => {
  // scheduler.Call: field 99 varint, type = 77, then framework_id.
  const strange = Buffer.from('98060a' + '104d' + '0a030a0166', 'hex');
  assert.deepEqual(codec.decodeProtobuf('scheduler.Call', strange), {
    framework_id: { value: 'f' },
  });
  for (const bytes of ['0a', '0a05', '08ffffffffffffffffffff', '07', '0a00'])
    assert.throws(
      () => codec.decodeProtobuf('scheduler.Call', Buffer.from(bytes, 'hex')),
      MessageError,
      bytes,
    );
  // A chain of parents deeper than any stack.
  let chain = Buffer.from([0x0a, 0x01, 0x61]);
  for (let depth = 0; depth < 1000; depth++) {
    const size = Buffer.from([(chain.length & 0x7f) | 0x80, chain.length >> 7]);
    chain = Buffer.concat([Buffer.from([0x0a, 0x01, 0x61, 0x12]), size, chain]);
  }
  assert.throws(() => codec.decodeProtobuf('ContainerID', chain), MessageError);
});

test('Random bytes are refused or read, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        codec.decodeProtobuf('scheduler.Call', bytes);
      } catch (error) {
        assert.ok(error instanceof MessageError);
      }
    }),
  );
});

test('Hostile texts are refused in little time', () => {
  const spaces = ' '.repeat(2_000_000);
  const texts = [
    `{"a":01,${spaces}"b":${spaces}}x`,
    '['.repeat(2_000_000),
    `{"a":${'1'.repeat(2_000_000)}e}`,
    `"${'\\u0041'.repeat(300_000)}`,
    `[${'01,'.repeat(300_000)}]`,
  ];
  const startMs = performance.now();
  for (const text of texts)
    assert.throws(() => codec.decodeJson('scheduler.Call', text), MessageError);
  assert.ok(performance.now() - startMs < 5000);
});

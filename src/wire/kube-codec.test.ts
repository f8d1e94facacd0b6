import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { typeTables } from '#kube/kinds';
import { createCodec, encodeCanonicalJson } from './kube-codec.ts';
import { resourceVersionOffset, spliceResourceVersion } from './splice.ts';
import { encodeYaml } from './yaml-emit.ts';
import { parseYaml } from './yaml.ts';

const codec = createCodec(typeTables);
const pod = 'k8s.io.api.core.v1.Pod';
const configMap = 'k8s.io.api.core.v1.ConfigMap';
const decode = (type: string, text: string) => codec.decodeJson(type, Buffer.from(text));

test('Strict problems name unknown and doubled fields with their paths, in order', () => {
  const { strictProblems, value } = decode(
    pod,
    '{"apiVersion":"v1","kind":"Pod","foo":1,"spec":{"containers":[{"name":"a","nmae":2,"name":"b"}]},"metadata":{"labels":{"x":"1","x":"2"},"__proto__":{"a":1}}}',
  );
  assert.deepEqual(strictProblems, [
    'unknown field "foo"',
    'unknown field "spec.containers[0].nmae"',
    'duplicate field "spec.containers[0].name"',
    'duplicate field "metadata.labels.x"',
    'unknown field "metadata.__proto__"',
  ]);
  assert.deepEqual(value['metadata'], { labels: { x: '2' } });
});

test('A key named __proto__ in a map stays a key', () => {
  const { value } = decode(configMap, '{"data":{"__proto__":"x"}}');
  assert.equal(JSON.stringify(value['data']), '{"__proto__":"x"}');
  assert.equal(Object.getPrototypeOf(value['data']), Object.prototype);
});

test('takeCanonical() gives what canonical() gives and keeps what was canonical', () => {
  const key = fc.constantFrom('a', 'b', '__proto__', '1');
  const map = fc.dictionary(key, fc.constantFrom('x', '', undefined));
  const shuffled = (of: Record<string, fc.Arbitrary<unknown>>) =>
    fc
      .record(of, { requiredKeys: [] })
      .chain((value) => fc.shuffledSubarray(Object.entries(value)))
      .map((entries) => Object.fromEntries(entries));
  const container = shuffled({
    name: fc.constantFrom('a', ''),
    command: fc.constantFrom(['x'], [], null, undefined),
    resources: shuffled({ limits: fc.constantFrom({ cpu: '1000m' }, { cpu: '1' }, {}) }),
    nonsense: fc.constantFrom(1, undefined),
  });
  const anyPod = shuffled({
    kind: fc.constantFrom('Pod', ''),
    apiVersion: fc.constant('v1'),
    metadata: shuffled({ name: fc.constantFrom('x', ''), uid: fc.constant('u'), labels: map }),
    spec: shuffled({ containers: fc.array(container), nodeName: fc.constantFrom('n', undefined) }),
    status: fc.constantFrom({}, { phase: 'Running' }, null),
    other: fc.constant(1),
  });
  fc.assert(
    fc.property(anyPod, (value) => {
      const { value: canonical } = codec.canonical(pod, value);
      const before = JSON.stringify(value);
      const taken = codec.takeCanonical(pod, value);
      assert.equal(JSON.stringify(taken), JSON.stringify(canonical));
      assert.deepEqual(Object.keys(taken), Object.keys(canonical));
      assert.equal(JSON.stringify(value), before);
      assert.equal(codec.takeCanonical(pod, canonical), canonical);
      assert.notEqual(codec.canonical(pod, canonical).value, canonical);
    }),
  );
});

test('A value of the wrong type is refused with the text of Go', () => {
  const cases: [string, string, string][] = [
    [
      pod,
      '{"spec":{"containers":{}}}',
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      pod,
      '{"spec":{"containers":[{"env":[{"value":1}]}]}}',
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      pod,
      '{"spec":{"priority":1.5}}',
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      configMap,
      '{"data":{"a":true}}',
      'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string',
    ],
    [configMap, '[]', 'json: cannot unmarshal array into Go value of type v1.ConfigMap'],
    [configMap, '{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    [configMap, '{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    [configMap, '{"a":1', 'unexpected end of JSON input'],
    [configMap, '{} x', "invalid character 'x' after top-level value"],
    [
      pod,
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ];
  for (const [type, text, message] of cases) assert.throws(() => decode(type, text), { message });
  assert.throws(() => decode(configMap, '['.repeat(5000)), { message: 'exceeded max depth' });
});

test('Decoding a broken protobuf body fails with an error of its own, never otherwise', () => {
  const good = codec.encodeProtobuf(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    spec: { containers: [{ name: 'a', image: 'b' }] },
  });
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, cut) => {
      const bad = Buffer.from(good);
      bad[at] = byte;
      try {
        codec.decodeProtobuf(bad.subarray(0, cut), () => pod);
      } catch (cause) {
        assert.equal((cause as Error).name, 'DecodeError');
      }
    }),
  );
});

test('Objects survive JSON, YAML and protobuf whatever their texts hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
      fc.integer(),
      async (data, generation) => {
        const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { generation }, data };
        const { value } = codec.canonical(configMap, object);
        const json = codec.encodeJson(configMap, value);
        assert.deepEqual(codec.decodeJson(configMap, json), { value, strictProblems: [] });
        const pb = codec.encodeProtobuf(configMap, value);
        assert.deepEqual(codec.decodeProtobuf(pb, () => configMap).value, value);
        const yaml = await codec.decodeYaml(configMap, Buffer.from(encodeYaml(value)));
        assert.deepEqual(yaml, { value, strictProblems: [] });
      },
    ),
  );
});

test('YAML scalars are read as go-yaml v2 reads them', async () => {
  const text =
    'a: yes\nb: 017\nc: 0o17\nd: 1_000\ne: 1e3\nf: 12:30:00\ng: 2001-01-01\nh: 08\non: 1\ni: "yes"\n';
  const { value } = await parseYaml(Buffer.from(text));
  assert.deepEqual(value, {
    a: true,
    b: 15,
    c: 15,
    d: 1000,
    e: 1000,
    f: '12:30:00',
    g: '2001-01-01',
    h: 8,
    true: 1,
    i: 'yes',
  });
  const merged = await parseYaml(Buffer.from('x: &x {a: 1}\nz:\n  <<: *x\n  b: 2\n'));
  assert.deepEqual(merged.value, { x: { a: 1 }, z: { a: 1, b: 2 } });
});

test('YAML: doubled keys are strict problems, bombs and cycles are refused', async () => {
  const doubled = await parseYaml(Buffer.from('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n'));
  assert.deepEqual(doubled, {
    value: { a: 3, b: { c: 2 } },
    strictProblems: [
      'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map',
    ],
  });
  await assert.rejects(parseYaml(Buffer.from('a: &x [*x]')), /DecodeError/);
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 0; i < 9; i++) {
    const name = String.fromCharCode(97 + i);
    const next = String.fromCharCode(98 + i);
    bomb.push(`${next}: &${next} [${Array(10).fill(`*${name}`).join(',')}]`);
  }
  await assert.rejects(parseYaml(Buffer.from(bomb.join('\n'))), /excessive aliasing/);
});

test('The resource version is spliced in at its canonical place', () => {
  const metadata = { name: 'a"b', namespace: 'n', uid: 'u-1', generation: 2 };
  const bytes = encodeCanonicalJson({ kind: 'ConfigMap', apiVersion: 'v1', metadata });
  const done = spliceResourceVersion(bytes, resourceVersionOffset(bytes), 42);
  const { value } = codec.decodeJson(configMap, done);
  assert.equal(JSON.stringify(value), done.toString());
  assert.deepEqual(value['metadata'], { ...metadata, resourceVersion: '42' });
  assert.throws(() => resourceVersionOffset(Buffer.from('{"metadata":{"name":"x"}}')), /uid/);
});

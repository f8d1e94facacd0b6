import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { kindFacts, typeTables } from '#kube/kinds';
import { escapeGo } from './go-text.ts';
import { createCodec } from './kube-codec.ts';
import { encodeYaml } from './yaml-emit.ts';

const codec = createCodec(typeTables);
const folder = 'test/golden';
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -5));

function typeOf(apiVersion: string, kind: string): string | undefined {
  const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const fact = kindFacts.find(
    (one) => one.kind === kind && one.version === version && one.group === group,
  );
  return fact?.type ?? (codec.knows(meta + kind) ? meta + kind : undefined);
}

test('Every golden object is the same in JSON, YAML and protobuf, byte for byte', async () => {
  assert.equal(names.length, 93);
  for (const name of names) {
    const json = readFileSync(`${folder}/${name}.json`);
    const pb = readFileSync(`${folder}/${name}.pb`);
    const yaml = readFileSync(`${folder}/${name}.yaml`);
    const head = JSON.parse(json.toString()) as { apiVersion?: string; kind?: string };
    const parts = name.split('.');
    const kind = head.kind ?? parts.at(-1) ?? '';
    const type = typeOf(head.apiVersion ?? 'v1', kind);
    assert.ok(type, name);
    const decoded = codec.decodeJson(type, json);
    assert.deepEqual(decoded.strictProblems, [], name);
    const indented = escapeGo(JSON.stringify(decoded.value, null, 2));
    assert.ok(indented === json.toString(), name);
    const bytes = Buffer.from(codec.encodeJson(type, decoded.value));
    assert.equal(bytes.toString(), escapeGo(JSON.stringify(JSON.parse(json.toString()))), name);
    assert.deepEqual(Buffer.from(codec.encodeProtobuf(type, decoded.value)), pb, name);
    const fromPb = codec.decodeProtobuf(pb, () => type);
    assert.equal(JSON.stringify(fromPb.value), JSON.stringify(decoded.value), name);
    const fromYaml = await codec.decodeYaml(type, yaml);
    assert.deepEqual(fromYaml.strictProblems, [], name);
    assert.equal(JSON.stringify(fromYaml.value), JSON.stringify(decoded.value), name);
    assert.equal(encodeYaml(decoded.value), yaml.toString(), name);
    const taken = codec.takeCanonical(type, decoded.value);
    assert.equal(JSON.stringify(taken), JSON.stringify(decoded.value), name);
  }
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { verbs } from '#cli';
import { builtinKinds, typeTables } from '#kube/kinds';
import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import { createCodec, parseYamlDocuments } from '#wire';
import { mesosDocs } from '../tools/derive-mesos-docs.ts';

const root = join(import.meta.dirname, '..');
process.chdir(root);
const codec = createCodec(typeTables);

interface Manifest {
  readonly file: string;
  readonly yaml: string;
}

function manifests(): Manifest[] {
  const files = globSync('examples/**/*.yaml').map((file) => ({
    file,
    yaml: readFileSync(file, 'utf8'),
  }));
  const blocks = globSync(['*.md', 'docs/**/*.md']).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => ({
      file,
      yaml,
    })),
  );
  return [...files, ...blocks];
}

function kindOf(object: { apiVersion?: unknown; kind?: unknown }): KindDeclaration {
  const found = builtinKinds.find(
    ({ group, version, kind }) =>
      kind === object.kind &&
      (group === '' ? version : `${group}/${version}`) === object.apiVersion,
  );
  assert.ok(found, `${String(object.apiVersion)} ${String(object.kind)} is a kind`);
  return found;
}

suite('Papers', () => {
  test('Every manifest in the examples and papers is accepted as it stands', async () => {
    const all = manifests();
    assert.ok(all.length >= 2);
    for (const { file, yaml } of all)
      for (const value of await parseYamlDocuments(new TextEncoder().encode(yaml))) {
        if (value === null) continue;
        const kind = kindOf(value as { apiVersion?: unknown; kind?: unknown });
        const decoded = codec.canonical(kind.type, value);
        assert.deepEqual(decoded.strictProblems, [], file);
        const object = decoded.value as unknown as Draft<KubeObject>;
        kind.defaults?.(object);
        assert.deepEqual(kind.validateCreate?.(object) ?? [], [], file);
      }
  });

  test('The table of parts in the papers is the one that is enforced', () => {
    const table = readFileSync('tools/tidy.ts', 'utf8').split('\n};')[0] ?? '';
    const enforced = [...table.matchAll(/^ {2}'?([a-z/]+)'?: \[/gm)].map(([, part]) => part);
    const told = [
      ...readFileSync('docs/ARCHITECTURE.md', 'utf8').matchAll(/^\| `([a-z/]+)` \|/gm),
    ].map(([, part]) => part);
    assert.deepEqual(told, enforced);
  });

  test('What is served of Mesos is told as the code has it', () => {
    assert.equal(readFileSync('docs/mesos-served.md', 'utf8'), mesosDocs());
  });

  test('Every verb that the README names exists', () => {
    const named = [...readFileSync('README.md', 'utf8').matchAll(/\.\/tandem ([a-z]+)/g)].map(
      ([, verb]) => verb,
    );
    const known = new Set([...verbs.map(({ name }) => name), 'test', 'ok']);
    assert.deepEqual(
      named.filter((verb) => verb !== undefined && !known.has(verb)),
      [],
    );
  });

  test('Every dependency is named with its reason', () => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    ) as Record<string, Record<string, string>>;
    const paper = readFileSync('docs/decisions/dependencies.md', 'utf8');
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      assert.ok(paper.includes(name.startsWith('@types/') ? '@types/*' : name), name);
  });

  test('Links between papers lead somewhere', () => {
    for (const file of globSync(['*.md', 'docs/**/*.md']))
      for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(
        /\]\((?!https?:)([^)#]+)\)/g,
      ))
        assert.ok(globSync(join(file, '..', target)).length > 0, `${file}: ${target}`);
  });

  test("No file speaks of one machine's paths or registries", () => {
    const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
    const foreign =
      /\/work\/|registry\.npmjs\.org|deb\.debian\.org|shared\/(reference|DESIGN|STYLE)/;
    const found = files.filter(
      (file) =>
        !/(^LICENSE$|docs\.test\.ts$|\.pb$)/.test(file) &&
        foreign.test(readFileSync(file, 'latin1')),
    );
    assert.deepEqual(found, []);
  });
});

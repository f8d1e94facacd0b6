import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Header } from 'tar-stream';
import { extractArchive, gunzipFile } from './archive.ts';
import type { ArchiveForm } from './archive.ts';
import { downloadFile } from './download.ts';

const folder = mkdtempSync(join(tmpdir(), 'archive-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const limits = { bytesMax: 1024 * 1024, entriesMax: 100 };
let made = 0;

function freshRoot(): string {
  const root = join(folder, `root-${made++}`);
  mkdirSync(root);
  return root;
}

async function tarOf(
  entries: readonly (Partial<Header> & { readonly name: string; readonly text?: string })[],
): Promise<string> {
  const tar = pack();
  for (const { text, ...header } of entries) tar.entry(header, text ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(Buffer.from(chunk as Uint8Array));
  const path = join(folder, `a-${made++}.tar`);
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

const forms: readonly (readonly [ArchiveForm, readonly string[]])[] = [
  ['tar', ['tar', '-cf']],
  ['tar.gz', ['tar', '-czf']],
  ['tar.bz2', ['tar', '-cjf']],
  ['tar.xz', ['tar', '-cJf']],
  ['zip', ['zip', '-qry']],
];
for (const [form, [tool = '', flag = '']] of forms)
  test(`An archive of the form ${form} is unpacked with modes and links`, async () => {
    const source = freshRoot();
    mkdirSync(join(source, 'bin'));
    writeFileSync(join(source, 'bin/run'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(source, 'read me'), 'text'.repeat(1000));
    symlinkSync('bin/run', join(source, 'link'));
    const path = join(folder, `all-${form}`);
    execFileSync(tool, [flag, `${path}.x`, '.'], { cwd: source });
    const root = freshRoot();
    const archive = existsSync(`${path}.x`) ? `${path}.x` : `${path}.x.zip`;
    await extractArchive(archive, { form, root, limits });
    assert.deepEqual(readdirSync(root).toSorted(), ['bin', 'link', 'read me']);
    assert.equal(readFileSync(join(root, 'link'), 'utf8'), '#!/bin/sh\n');
    assert.equal(statSync(join(root, 'bin/run')).mode & 0o777, 0o755);
  });

const file = { type: 'file', mode: 0o644 } as const;
const hostile: readonly (readonly [
  string,
  readonly (Partial<Header> & { readonly name: string; readonly text?: string })[],
])[] = [
  ['a name with ..', [{ ...file, name: '../out', text: 'x' }]],
  ['a name with .. inside', [{ ...file, name: 'a/../../out', text: 'x' }]],
  ['an absolute link', [{ name: 'l', type: 'symlink', linkname: '/etc/passwd' }]],
  ['a link above', [{ name: 'd/l', type: 'symlink', linkname: '../../out' }]],
  ['a hard link to a file beside', [{ name: 'h', type: 'link', linkname: '../secret' }]],
  ['a device', [{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 3 }]],
  ['a pipe', [{ name: 'fifo', type: 'fifo' }]],
  ['too many files', Array.from({ length: 200 }, (_, index) => ({ ...file, name: `f${index}` }))],
  ['too many bytes', [{ ...file, name: 'big', text: 'x'.repeat(2 * 1024 * 1024) }]],
];
for (const [name, entries] of hostile)
  test(`An archive with ${name} is refused, and nothing leaves its directory`, async () => {
    const outer = freshRoot();
    const root = join(outer, 'in');
    mkdirSync(root);
    writeFileSync(join(outer, 'secret'), 'secret');
    const path = await tarOf(entries);
    await assert.rejects(extractArchive(path, { form: 'tar', root, limits }), {
      name: 'ArchiveError',
    });
    assert.deepEqual(readdirSync(outer).toSorted(), ['in', 'secret']);
  });

test('Nothing is written through a link that was there before', async () => {
  const outer = freshRoot();
  const root = join(outer, 'in');
  mkdirSync(root);
  symlinkSync('..', join(root, 'up'));
  const path = await tarOf([{ ...file, name: 'up/out', text: 'x' }]);
  await assert.rejects(extractArchive(path, { form: 'tar', root, limits }), /leads out/);
  assert.deepEqual(readdirSync(outer), ['in']);
});

test('An absolute name loses its slash, setuid bits are dropped', async () => {
  const root = freshRoot();
  const path = await tarOf([{ name: '/su', type: 'file', mode: 0o4755, text: 'x' }]);
  await extractArchive(path, { form: 'tar', root, limits });
  assert.equal(statSync(join(root, 'su')).mode & 0o7777, 0o755);
});

test('A compressed bomb ends where the limit is', async () => {
  const path = join(folder, 'bomb.gz');
  writeFileSync(path, gzipSync(Buffer.alloc(8 * 1024 * 1024)));
  const out = join(folder, 'bomb');
  await assert.rejects(gunzipFile(path, out, limits), { name: 'ArchiveError' });
  assert(statSync(out).size <= limits.bytesMax);
});

test('What is no archive is refused', async () => {
  const path = join(folder, 'plain');
  writeFileSync(path, 'not an archive');
  for (const form of ['tar.gz', 'tar.bz2', 'tar.xz', 'zip'] as const)
    await assert.rejects(extractArchive(path, { form, root: freshRoot(), limits }), form);
});

test('A download follows redirects, tells of errors, and ends when it stalls', async (context) => {
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { Location: '/file' }).end();
    else if (request.url === '/file') response.end('content');
    else if (request.url === '/stall') response.write('half');
    else response.writeHead(404).end('no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const at = `http://127.0.0.1:${address.port}`;
  const path = join(folder, 'got');
  const options = { stallMs: 30_000, bytesMax: 1000, signal: new AbortController().signal };
  assert.equal(await downloadFile(`${at}/moved`, path, options), 200);
  assert.equal(readFileSync(path, 'utf8'), 'content');
  assert.equal(await downloadFile(`${at}/none`, path, options), 404);
  await assert.rejects(downloadFile(`${at}/stall`, path, { ...options, stallMs: 100 }), /stalled/);
  await assert.rejects(
    downloadFile(`${at}/file`, path, { ...options, bytesMax: 3 }),
    /larger than 3 bytes/,
  );
});

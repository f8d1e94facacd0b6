import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#io';
import { seededRandom } from '#sim';
import { openSqliteStore, StoreCorruptError } from '#store';

const writer = join(import.meta.dirname, 'store-writer.ts');

/** Key to the texts that were written there in this order, by what the writer said. */
type Acknowledged = Map<string, string[]>;

/** Runs the writer and kills it after `writes` acknowledged writes. */
async function storm(
  path: string,
  { life, writes, mode }: { life: number; writes: number; mode: 'compacting' | 'keeping' },
): Promise<Acknowledged> {
  const child = spawn(process.execPath, [writer, path, `${life}`, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let lines = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    for (const byte of chunk) if (byte === 10) lines += 1;
    if (lines > writes) child.kill('SIGKILL');
  });
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  assert.equal(child.signalCode, 'SIGKILL', 'The writer lives until it is killed');
  const acknowledged: Acknowledged = new Map();
  for (const line of output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)) {
    const [key = '', text = ''] = line.split(' ');
    acknowledged.set(key, [...(acknowledged.get(key) ?? []), text]);
  }
  return acknowledged;
}

/** Each key with its text; throws when a value is not whole or not its twin's. */
async function contents(path: string): Promise<Map<string, string>> {
  await using store = await openSqliteStore({ path, clock: systemClock });
  const { entries } = await store.range('/');
  const texts = new Map<string, string>();
  for (const { key, value } of entries) {
    const [text = '', filling = ''] = Buffer.from(value).toString().split(' ');
    const turn = Number(text.split('.')[2]);
    assert.equal(filling.length, (turn * 37) % 3000, `${key} is whole`);
    texts.set(key, text);
  }
  for (const [key, text] of texts)
    if (!key.startsWith('/twin'))
      assert.equal(texts.get(`/twin${key}`), text, `${key} has its twin`);
  return texts;
}

/** Writes of a life come in the order of their turns. */
function turnOf(text: string | undefined): number {
  const [life = '-1', , turn = '-1'] = text?.split('.') ?? [];
  return Number(life) * 1e9 + Number(turn);
}

function temporary(): Disposable & { readonly path: string; readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-store-os-'));
  return {
    directory,
    path: join(directory, 'store.db'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

test('a writer killed in a storm has kept every acknowledged write, and none by half', async () => {
  using place = temporary();
  const random = seededRandom(Number(process.env['SEED'] ?? 1));
  const newest = new Map<string, string>();
  for (let life = 0; life < 8; life++) {
    const acknowledged = await storm(place.path, {
      life,
      writes: random.between(1, 4000),
      mode: 'compacting',
    });
    for (const [key, texts] of acknowledged) newest.set(key, texts.at(-1) ?? '');
    const found = await contents(place.path);
    for (const [key, text] of newest)
      assert(turnOf(found.get(key)) >= turnOf(text), `${key} has ${found.get(key)}, not ${text}`);
  }
});

test('torn pages and cut logs of a killed writer are found or left behind, never served', async () => {
  using place = temporary();
  await storm(place.path, { life: 0, writes: 6000, mode: 'keeping' });
  const random = seededRandom(Number(process.env['SEED'] ?? 2));
  let found = 0;
  for (let round = 0; round < 60; round++) {
    const copy = join(place.directory, `copy-${round}`);
    for (const suffix of ['', '-wal']) cpSync(`${place.path}${suffix}`, `${copy}${suffix}`);
    damage(`${copy}${random.pick(['', '-wal'])}`, random);
    try {
      const texts = await contents(copy);
      for (const [key, text] of texts) assert(turnOf(text) >= 0, `${key} holds what was written`);
    } catch (error) {
      assert(error instanceof StoreCorruptError, String(error));
      assert.match(error.message, /^Cannot open store ".*": .*; restore a backup$/s);
      found += 1;
    }
    for (const suffix of ['', '-wal', '-shm', '.lock', '.pid'])
      rmSync(`${copy}${suffix}`, { force: true });
  }
  assert(found > 5, `Damage is found, ${found} times`);
});

function damage(file: string, random: ReturnType<typeof seededRandom>): void {
  const content = readFileSync(file);
  const pages = Math.floor(content.length / 4096);
  const at = random.below(pages) * 4096;
  switch (random.below(4)) {
    case 0:
      truncateSync(file, random.below(content.length));
      return;
    case 1:
      content.fill(0, at, at + 4096);
      break;
    case 2: {
      // Half a page from another place, as after a write that was cut by a power failure.
      const from = random.below(pages) * 4096;
      content.copyWithin(at + 2048, from, from + 2048);
      break;
    }
    default: {
      const place = random.below(content.length);
      content[place] = (content[place] ?? 0) ^ (1 << random.below(8));
    }
  }
  writeFileSync(file, content);
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { downloadByFtp } from './ftp.ts';

const files: Readonly<Record<string, string>> = { 'pub/a.txt': 'content', '/etc/b': 'absolute' };
const said: string[] = [];
let server: Server;
let folder: string;
let base: string;

async function listening(made: Server): Promise<number> {
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return (made.address() as AddressInfo).port;
}

/** As much of RFC 959 and 2428 as a download needs. */
function serve(control: Socket): void {
  let data: Server | undefined;
  let accepted: Promise<Socket> | undefined;
  const answer = async (line: string): Promise<string> => {
    const [verb = '', ...rest] = line.split(' ');
    const name = rest.join(' ');
    if (verb === 'USER') return name === 'anonymous' ? '331 password, please' : '530 who?';
    if (verb === 'PASS') return '230 welcome';
    if (verb === 'EPSV') {
      data = createServer();
      const port = await listening(data);
      accepted = once(data, 'connection').then(([socket]) => socket as Socket);
      return `229 Entering Extended Passive Mode (|||${port}|)`;
    }
    if (verb === 'RETR') {
      const text = files[name];
      if (text === undefined) return '550 no such file';
      control.write('150 here it comes\r\n');
      (await accepted)?.end(text);
      data?.close();
      return '226 done';
    }
    return verb === 'TYPE' || verb === 'STRU' || verb === 'QUIT' ? '200 fine' : '502 what?';
  };
  control.setEncoding('utf8');
  control.on('error', () => undefined);
  control.write('220 hello\r\n');
  control.on('data', (text: string) => {
    for (const line of text.split('\r\n').filter(Boolean)) {
      said.push(line);
      void answer(line).then((reply) => control.write(`${reply}\r\n`));
    }
  });
  control.on('close', () => data?.close());
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-ftp-'));
  server = createServer(serve);
  base = `ftp://127.0.0.1:${await listening(server)}`;
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = { stallMs: 5000, bytesMax: 1000, signal: new AbortController().signal };
const path = (): string => join(folder, 'file');

test('downloadByFtp() brings a file of an anonymous user', async () => {
  assert.equal(await downloadByFtp(new URL(`${base}/pub/a.txt`), path(), options), 226);
  assert.equal(readFileSync(path(), 'utf8'), 'content');
  assert(said.includes('USER anonymous') && said.includes('TYPE I'));
  assert.equal(await downloadByFtp(new URL(`${base}//etc/b`), path(), options), 226);
  assert.equal(readFileSync(path(), 'utf8'), 'absolute');
});

test('downloadByFtp() gives the code with which a server refuses', async () => {
  assert.equal(await downloadByFtp(new URL(`${base}/pub/none`), path(), options), 550);
  const named = new URL(base.replace('ftp://', 'ftp://me:secret@') + '/pub/a.txt');
  assert.equal(await downloadByFtp(named, path(), options), 530);
});

test('downloadByFtp() ends what cannot be reached or is given up', async () => {
  const nobody = new URL('ftp://127.0.0.1:1/x');
  await assert.rejects(downloadByFtp(nobody, path(), options), /ECONNREFUSED/);
  const signal = AbortSignal.abort(new Error('given up'));
  const late = downloadByFtp(new URL(`${base}/pub/a.txt`), path(), { ...options, signal });
  await assert.rejects(late, /given up/);
});

/** A real registry on loopback: TLS by an authority of its own, one user by name and password. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueCertificate } from '#io';
import { until } from './runtime-kit.ts';

export interface TestRegistry extends AsyncDisposable {
  readonly host: string;
  readonly folder: string;
  readonly caFile: string;
  readonly user: { readonly username: string; readonly password: string };
  /** Pushes a docker archive by a real client. */
  push(archive: Buffer, name: string): void;
}

/** Certificates for 127.0.0.1, PEM. */
export function loopbackCertificate(): { ca: string; cert: string; key: string } {
  const life = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
  const authority = createAuthority('test registry', life);
  const { certificatePem, keyPem } = issueCertificate(authority, {
    ...life,
    subject: { commonName: 'registry', organizations: [] },
    usages: ['serverAuth'],
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  return { ca: authority.certificatePem, cert: certificatePem, key: keyPem };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startRegistry(): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-registry-'));
  const at = (name: string): string => join(folder, name);
  const user = { username: 'me', password: 'secret' };
  const hash = execFileSync('perl', [
    '-e',
    'print crypt($ARGV[0], q($2b$04$abcdefghijklmnopqrstuu))',
    user.password,
  ]);
  const { ca, cert, key } = loopbackCertificate();
  mkdirSync(at('certs'));
  for (const [name, text] of Object.entries({
    'ca.crt': ca,
    'certs/ca.crt': ca,
    'tls.crt': cert,
    'tls.key': key,
    users: `${user.username}:${hash.toString()}\n`,
  }))
    writeFileSync(at(name), text);
  const port = await freePort();
  const settings = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: at('data') } },
    http: {
      addr: `127.0.0.1:${port}`,
      tls: { certificate: at('tls.crt'), key: at('tls.key') },
    },
    auth: { htpasswd: { realm: 'test', path: at('users') } },
  };
  // JSON is YAML.
  writeFileSync(at('config.yml'), JSON.stringify(settings));
  const child = spawn('docker-registry', ['serve', at('config.yml')], { stdio: 'ignore' });
  const table = (): string => readFileSync('/proc/net/tcp', 'utf8');
  await until('registry', () =>
    table().includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `),
  );
  const host = `127.0.0.1:${port}`;
  return {
    host,
    folder,
    caFile: at('ca.crt'),
    user,
    push(archive, name) {
      writeFileSync(at('push.tar'), archive);
      execFileSync(
        'skopeo',
        [
          'copy',
          '--insecure-policy',
          `--dest-cert-dir=${at('certs')}`,
          `--dest-creds=${user.username}:${user.password}`,
          `docker-archive:${at('push.tar')}`,
          `docker://${host}/${name}`,
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

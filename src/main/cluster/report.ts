import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exitCodes } from '#cli';
import type { Connection, ParsedCommand, Terminal } from '#cli';
import { answers, connectTo } from './connect.ts';
import { findingsOf } from './doctor.ts';
import { located } from './locate.ts';
import { packFolder } from './logs.ts';
import { statusOf } from './status.ts';

/** What a bug report needs of the API; Secrets, tokens and ConfigMaps' contents stay here. */
const lists: readonly string[] = [
  '/api/v1/nodes',
  '/api/v1/pods',
  '/api/v1/services',
  '/api/v1/events',
  '/api/v1/namespaces',
  '/apis/apps/v1/deployments',
  '/apis/apps/v1/replicasets',
  '/apis/discovery.k8s.io/v1/endpointslices',
  '/apis/coordination.k8s.io/v1/leases',
];

/** `tandem export`: a tarball for a bug report. */
export async function exportReport(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  const target = resolve(command.arguments[0] ?? `tandem-${config.name}.tar.gz`);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-export-'));
  try {
    const { kubeconfigs: _own, ...shown } = config;
    writeJson(join(folder, 'cluster.json'), shown);
    writeJson(join(folder, 'status.json'), await statusOf(config));
    writeJson(join(folder, 'doctor.json'), await findingsOf(config));
    const logs = join(config.dataDir, 'logs');
    if (existsSync(logs))
      for (const file of readdirSync(logs)) copyFileSync(join(logs, file), join(folder, file));
    const connection = connectTo(config);
    try {
      if (await answers(connection)) await writeObjects(connection, folder);
    } finally {
      connection.api.close();
    }
    await packFolder(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  terminal.out(`${target}\n`);
  terminal.err(
    'Secrets and ConfigMaps are not in it; values of environment variables were blacked out.\n',
  );
  return exitCodes.ok;
}

async function writeObjects(connection: Connection, folder: string): Promise<void> {
  mkdirSync(join(folder, 'objects'));
  for (const path of [...lists, '/metrics', '/version']) {
    const response = await connection.api.requestRaw({ path });
    const text = new TextDecoder().decode(await response.body());
    const name = path.split('/').at(-1) ?? 'answer';
    if (path === '/metrics') writeFileSync(join(folder, 'metrics.txt'), text);
    else writeJson(join(folder, 'objects', `${name}.json`), withoutSecrets(JSON.parse(text)));
  }
}

/** Values of environment variables and applied configurations may hold what nobody should read. */
export function withoutSecrets(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    if (key === 'env')
      return value.map((item: unknown) =>
        typeof item === 'object' && item !== null && 'value' in item
          ? { ...item, value: '***' }
          : item,
      );
    return value.map((item) => withoutSecrets(item));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'kubectl.kubernetes.io/last-applied-configuration')
      .map(([name, item]) => [name, withoutSecrets(item, name)]),
  );
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

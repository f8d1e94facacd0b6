import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, exitCodes } from '#cli';
import type { Connection, ParsedCommand } from '#cli';
import { createHttpApi } from '#client';
import { systemClock } from '#io';
import type { ClusterConfig } from './config.ts';
import { located } from './locate.ts';
import { planOf } from './plan.ts';

export function pkiDir(config: ClusterConfig): string {
  return join(config.dataDir, 'server', 'pki');
}

export function serverUrl(config: ClusterConfig): string {
  return `https://127.0.0.1:${planOf(config).ports.api}`;
}

/** The owner's own way in: the admin certificate lies in the data directory. */
export function connectTo(config: ClusterConfig): Connection {
  const dir = pkiDir(config);
  if (!existsSync(join(dir, 'admin.crt')))
    throw new CommandError(`cluster "${config.name}" was never started: run "tandem up"`, {
      exitCode: exitCodes.notRunning,
    });
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  const server = serverUrl(config);
  const credentials = {
    server,
    ca: read('ca.crt'),
    cert: read('admin.crt'),
    key: read('admin.key'),
  };
  return {
    ...credentials,
    api: createHttpApi({ ...credentials, clock: systemClock, userAgent: 'tandem' }),
  };
}

/** For verbs that need a running server: says so when nobody answers. */
export async function connect(command: ParsedCommand): Promise<Connection> {
  const config = located(command);
  const connection = connectTo(config);
  if (!(await answers(connection))) {
    connection.api.close();
    throw new CommandError(
      `cluster "${config.name}" does not answer at ${connection.server}: "tandem up" starts it, "tandem status" shows what runs`,
      {
        exitCode: exitCodes.notRunning,
      },
    );
  }
  return connection;
}

export async function answers(connection: Connection): Promise<boolean> {
  try {
    const response = await connection.api.requestRaw({
      path: '/livez',
      signal: AbortSignal.timeout(5000),
    });
    await response.body();
    return response.status === 200;
  } catch {
    return false; // nobody there is an answer to this question
  }
}

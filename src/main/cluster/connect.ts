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
  return (await asked(connection, '/livez'))?.status === 200;
}

/** Why the server is not ready for everything, in its own words; undefined when it is. */
export async function unreadiness(connection: Connection): Promise<string | undefined> {
  const answer = await asked(connection, '/readyz?verbose');
  if (answer === undefined) return 'it does not answer';
  if (answer.status === 200) return undefined;
  const failed = answer.text.split('\n').filter((line) => line.startsWith('[-]'));
  return failed.map((line) => line.slice(3)).join('; ') || `it answers ${answer.status}`;
}

async function asked(
  connection: Connection,
  path: string,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  try {
    const response = await connection.api.requestRaw({ path, signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: new TextDecoder().decode(await response.body()) };
  } catch {
    return undefined; // nobody there is an answer to this question
  }
}

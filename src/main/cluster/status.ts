import { readFileSync } from 'node:fs';
import { exitCodes, formatBytes, paint, table } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { nodes, pods } from '../resources.ts';
import { runDirOf } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { answers, connectTo, serverUrl, unreadiness } from './connect.ts';
import { contextName } from './kubeconfig.ts';
import { located } from './locate.ts';
import { planOf } from './plan.ts';
import { processState } from './processes.ts';
import { serverName } from './start.ts';

/** What `status -o json` prints; scripts read it. */
export interface ClusterStatus {
  readonly name: string;
  readonly dataDir: string;
  readonly context: string;
  readonly url: string;
  readonly healthy: boolean;
  /** `problem`: why it is not ready, for instance a full disk. */
  readonly server: ProcessReport & { readonly ready: boolean; readonly problem: string | null };
  readonly agents: readonly (ProcessReport & {
    readonly node: string;
    readonly ready: boolean;
    readonly address: string;
    readonly pods: number;
  })[];
}
interface ProcessReport {
  readonly pid: number | null;
  readonly supervisorPid: number | null;
  readonly memoryBytes: number | null;
}

export async function statusOf(config: ClusterConfig): Promise<ClusterStatus> {
  const plan = planOf(config);
  const connection = connectTo(config);
  try {
    const [up, problem] = await Promise.all([answers(connection), unreadiness(connection)]);
    const ready = problem === undefined;
    const [nodeList, podList] = up
      ? await Promise.all([connection.api.list(nodes), connection.api.list(pods)])
      : [{ items: [] }, { items: [] }];
    const agents = Array.from({ length: config.nodes }, (_, index) => {
      const node = plan.nodeName(index);
      const object = nodeList.items.find((item) => item.metadata.name === node);
      return {
        node,
        ...report(config, node),
        ready: (object?.status.conditions ?? []).some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        ),
        address: plan.nodeIp(index),
        pods: podList.items.filter((pod) => pod.spec.nodeName === node).length,
      };
    });
    return {
      name: config.name,
      dataDir: config.dataDir,
      context: contextName(config),
      url: serverUrl(config),
      healthy: ready && agents.every((agent) => agent.ready),
      server: { ...report(config, serverName), ready, problem: problem ?? null },
      agents,
    };
  } finally {
    connection.api.close();
  }
}

function report(config: ClusterConfig, name: string): ProcessReport {
  const { pid, supervisorPid } = processState(runDirOf(config), name);
  return {
    pid: pid ?? null,
    supervisorPid: supervisorPid ?? null,
    memoryBytes: pid === undefined ? null : residentBytes(pid),
  };
}

function residentBytes(pid: number): number | null {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? null : Number(match[1]) * 1024;
  } catch {
    return null; // it ended meanwhile
  }
}

export async function status(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const now = await statusOf(located(command));
  if (command.text('output') === 'json') terminal.out(`${JSON.stringify(now, undefined, 2)}\n`);
  else terminal.out(statusText(now, terminal));
  if (now.server.pid === null) return exitCodes.notRunning;
  return now.healthy ? exitCodes.ok : exitCodes.unhealthy;
}

function statusText(now: ClusterStatus, terminal: Terminal): string {
  const state = now.healthy
    ? paint(terminal, 'green', 'healthy')
    : now.server.pid === null
      ? paint(terminal, 'red', 'stopped')
      : paint(terminal, 'yellow', 'not healthy: "tandem doctor" looks for the reason');
  const memory = (bytes: number | null): string => (bytes === null ? '-' : formatBytes(bytes));
  const rows = [
    ['PART', 'STATE', 'PID', 'MEMORY', 'PODS', 'ADDRESS'],
    [
      'server',
      now.server.ready ? 'Ready' : 'NotReady',
      String(now.server.pid ?? '-'),
      memory(now.server.memoryBytes),
      '-',
      now.url,
    ],
    ...now.agents.map((agent) => [
      agent.node,
      agent.ready ? 'Ready' : 'NotReady',
      String(agent.pid ?? '-'),
      memory(agent.memoryBytes),
      String(agent.pods),
      agent.address,
    ]),
  ];
  return `Cluster "${now.name}" is ${state}\n  data     ${now.dataDir}\n  kubectl  context "${now.context}"\n\n${table(rows)}`;
}

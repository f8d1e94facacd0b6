import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandError, exitCodes, paint, parseBytes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { portHolder } from '#io';
import type { Node } from '#kube/kinds';
import { knownClusters, runDirOf, saveConfig, stateRoot } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { machineNow, makeHostNetwork, routes } from './host-network.ts';
import { contextName, joinKubeconfig, kubeconfigPath } from './kubeconfig.ts';
import { existing, isRoot, place } from './locate.ts';
import { planOf, slotsMax } from './plan.ts';
import { endProcesses, processState, processesOf } from './processes.ts';
import { processNames, serverName, startProcesses, waitReady } from './start.ts';

const nodesMax = 20;

/** `tandem up`: creates or completes a cluster, idempotently, and says what to type next. */
export async function up(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const startedMs = performance.now();
  const { name, dataDir } = place(command);
  const before = existing(dataDir);
  let config =
    before === undefined ? create(command, { name, dataDir }) : unchanged(command, before);
  const runDir = runDirOf(config);
  checkFolder(dataDir);
  await endStrays(config);
  await checkPorts(config);
  await warnOfTakenPorts(config, terminal);
  try {
    saveConfig(config);
    mkdirSync(join(dataDir, 'server'), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw notWritable(dataDir, error);
  }
  clearFailures(runDir);
  if (config.root) await makeHostNetwork(config);
  const started = await startProcesses(config);
  if (started.length > 0) terminal.err(`starting ${started.join(', ')} ...\n`);
  let ready: readonly Node[];
  try {
    ready = await waitReady(config, () => undefined);
  } catch (error) {
    // Without a server the agents we have just started would only wait for it.
    if (started.includes(serverName) && processState(runDir, serverName).pid === undefined)
      await endProcesses(processesOf(runDir), { graceMs: 10_000, runDir });
    throw error;
  }
  let kubeconfigProblem: string | undefined;
  try {
    config = { ...config, kubeconfigs: await joinKubeconfig(config) };
    saveConfig(config);
  } catch (error) {
    kubeconfigProblem = error instanceof Error ? error.message : String(error);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  terminal.out(summary({ config, seconds, ready: ready.length, terminal, kubeconfigProblem }));
  return exitCodes.ok;
}

function create(
  command: ParsedCommand,
  where: { readonly name: string; readonly dataDir: string },
): ClusterConfig {
  const { name, dataDir } = where;
  const root = isRoot();
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0)
    throw new CommandError(`${dataDir} is not empty and holds no cluster: give another --data-dir`);
  const taken = knownClusters(root).find((cluster) => cluster.name === name);
  if (taken !== undefined && taken.dataDir !== dataDir)
    throw new CommandError(
      `cluster "${name}" lies in ${taken.dataDir}: give another --name, or that --data-dir`,
    );
  const others = knownClusters(root);
  return {
    format: 1,
    name,
    dataDir,
    slot: freeSlot(others),
    portOffset: portOffset(command.number('port-offset') ?? 0),
    nodes: root ? nodesOf(command) : 0,
    nodeCpus: cpusOf(command),
    nodeMemoryBytes: memoryOf(command),
    ephemeral: command.flag('ephemeral'),
    root,
    owner: Number(process.env['SUDO_UID'] ?? process.getuid?.() ?? 0),
    authenticate: command.flag('authenticate'),
    kubeconfigs: [],
    machineBefore:
      others[0]?.machineBefore ?? (root ? machineNow() : { sysctls: {}, netnsFolder: true }),
    // The place where clusters lie by default is ours, whatever stands there already.
    madeDataDir: !existsSync(dataDir) || dirname(dataDir) === stateRoot(root),
  };
}

function nodesOf(command: ParsedCommand): number {
  const nodes = command.number('nodes') ?? 1;
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > nodesMax)
    throw new CommandError(`--nodes ${nodes} must be a whole number from 1 to ${nodesMax}`, {
      exitCode: exitCodes.usage,
    });
  return nodes;
}

function portOffset(offset: number): number {
  if (!Number.isInteger(offset) || offset > 50_000)
    throw new CommandError(`--port-offset ${offset} must be a whole number up to 50000`, {
      exitCode: exitCodes.usage,
    });
  return offset;
}

function cpusOf(command: ParsedCommand): number | undefined {
  const cpus = command.number('node-cpus');
  if (cpus !== undefined && cpus < 0.1)
    throw new CommandError(`--node-cpus ${cpus} must be at least 0.1`, {
      exitCode: exitCodes.usage,
    });
  return cpus;
}

function memoryOf(command: ParsedCommand): number | undefined {
  const text = command.text('node-memory');
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes < 64 * 1024 * 1024)
    throw new CommandError(`--node-memory "${text}" must be a size of at least 64Mi, like 4Gi`, {
      exitCode: exitCodes.usage,
    });
  return bytes;
}

/** Flags of a cluster that exists must say what it is. */
function unchanged(command: ParsedCommand, config: ClusterConfig): ClusterConfig {
  const given: [string, unknown, unknown][] = [
    ['nodes', command.number('nodes'), config.nodes],
    ['port-offset', command.number('port-offset'), config.portOffset],
    ['node-cpus', cpusOf(command), config.nodeCpus],
    ['node-memory', memoryOf(command), config.nodeMemoryBytes],
    ['ephemeral', command.flag('ephemeral') || undefined, config.ephemeral],
    ['authenticate', command.flag('authenticate') || undefined, config.authenticate],
  ];
  for (const [flag, wanted, is] of given)
    if (wanted !== undefined && wanted !== is)
      throw new CommandError(
        `cluster "${config.name}" was started with another --${flag} (${String(is ?? 'none')}): "tandem destroy" it first, or use another --name`,
      );
  return config;
}

/** Address ranges that neither another cluster nor the machine's own routes use. */
function freeSlot(others: readonly ClusterConfig[]): number {
  const used = new Set(others.map((cluster) => cluster.slot));
  const routed = routes();
  for (let slot = 0; slot < slotsMax; slot++) {
    const clash = [`10.${244 - slot}.`, `10.${96 + slot}.`, `172.30.${slot}.`].some((range) =>
      routed.some((route) => route.startsWith(range)),
    );
    if (!used.has(slot) && !clash) return slot;
  }
  throw new CommandError('no address range is free for another cluster on this machine');
}

/**
 * Processes of this cluster that no pid file knows any more (a cleared /run): they hold the ports
 * and the store, so they make room. Containers are none of them.
 */
async function endStrays(config: ClusterConfig): Promise<void> {
  const runDir = runDirOf(config);
  const known = new Set(
    processNames(config).flatMap((name) => {
      const { pid, supervisorPid } = processState(runDir, name);
      return [pid, supervisorPid];
    }),
  );
  const strays = processesOf(runDir).filter((pid) => !known.has(pid));
  await endProcesses(strays, { graceMs: 5000, runDir });
}

/** A place that cannot be written is told in one line, before anything is started. */
function checkFolder(dataDir: string): void {
  let there = dataDir;
  while (!existsSync(there)) there = dirname(there);
  try {
    accessSync(there, constants.W_OK);
  } catch (error) {
    throw notWritable(dataDir, error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  EACCES: 'this user may not write there',
  ENOSPC: 'its disk is full',
  EDQUOT: "this user's quota is used up",
};

function notWritable(dataDir: string, cause: unknown): unknown {
  const why = reasons[(cause as NodeJS.ErrnoException).code ?? ''];
  return why === undefined
    ? cause
    : new CommandError(`${dataDir} cannot be written: ${why}`, { cause });
}

/** A port that somebody else has is named before anything is started. */
async function checkPorts(config: ClusterConfig): Promise<void> {
  if (processState(runDirOf(config), serverName).pid !== undefined) return;
  const { ports } = planOf(config);
  const wanted: [string, number][] = [
    ['API server', ports.api],
    ...(config.nodes === 1 ? ([['kubelet', ports.kubelet]] as [string, number][]) : []),
  ];
  for (const [what, port] of wanted) {
    const holder = await portHolder(port);
    if (holder === undefined) continue;
    throw new CommandError(
      `port ${port} of the ${what} is taken by ${holder}: stop it, or use --port-offset with another --name`,
    );
  }
}

/** Without these ports a cluster starts all the same; whoever wants them should know. */
async function warnOfTakenPorts(config: ClusterConfig, terminal: Terminal): Promise<void> {
  if (processState(runDirOf(config), serverName).pid !== undefined) return;
  const { ports } = planOf(config);
  const wished: readonly (readonly [string, number])[] = [
    ['Mesos', ports.mesosMaster],
    ['Marathon', ports.marathon],
    ['the Mesos agent', ports.mesosAgent],
    ['Mesos-DNS', ports.mesosDns],
  ];
  for (const [what, port] of wished) {
    const holder = await portHolder(port);
    if (holder !== undefined)
      terminal.err(`port ${port} is taken by ${holder}: ${what} is not served there\n`);
  }
}

/** What an earlier start left as its reason to give up. */
function clearFailures(runDir: string): void {
  if (!existsSync(runDir)) return;
  for (const file of readdirSync(runDir))
    if (file.endsWith('.failure')) rmSync(join(runDir, file), { force: true });
}

function summary(of: {
  readonly config: ClusterConfig;
  readonly seconds: string;
  readonly ready: number;
  readonly terminal: Terminal;
  readonly kubeconfigProblem: string | undefined;
}): string {
  const { config, terminal } = of;
  const plan = planOf(config);
  const own = config.name === 'tandem' ? '' : ` --name ${config.name}`;
  const lines = [
    paint(terminal, 'green', `Cluster "${config.name}" is up (${of.seconds} s).`),
    `  API server   https://127.0.0.1:${plan.ports.api}`,
    config.root
      ? `  Nodes        ${of.ready} Ready: ${processNames(config).slice(1).join(', ')}`
      : '  Nodes        none: only root can run containers here; objects and the API work',
    `  Mesos        http://localhost:${plan.ports.mesosMaster}    Marathon: http://localhost:${plan.ports.marathon}`,
    `  Data         ${config.dataDir}`,
  ];
  if (of.kubeconfigProblem === undefined)
    lines.push(`  kubectl      context "${contextName(config)}" in ${kubeconfigPath()}`);
  else
    lines.push(
      paint(terminal, 'yellow', `  kubectl      ${of.kubeconfigProblem}`),
      `               the file was left alone: "tandem kubeconfig${own} > FILE" and KUBECONFIG=FILE help`,
    );
  lines.push(
    '',
    'Next:',
    '  kubectl get nodes',
    config.root
      ? `  ./tandem image load IMAGE.tar${own}    then: kubectl apply -f APP.yaml`
      : '  kubectl apply -f APP.yaml',
    `  ./tandem status${own}    ./tandem help    ./tandem destroy${own}`,
    '',
  );
  return lines.join('\n');
}

import { accessSync, constants, statfsSync } from 'node:fs';
import { exitCodes, formatBytes, paint } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { probeMachine } from '#node/runtime';
import { runDirOf } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { interfaces } from './host-network.ts';
import { existing, isRoot, place } from './locate.ts';
import { planOf } from './plan.ts';
import { processState } from './processes.ts';
import { logPath, processNames } from './start.ts';
import { statusOf } from './status.ts';

/** One thing `doctor` looked at. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** What is the case. */
  readonly text: string;
  /** The one command that mends it. */
  readonly mend?: string;
}

const freeBytesMin = 512 * 1024 * 1024;

/** `tandem doctor`: looks at the machine and the cluster, names the command that mends what it finds. */
export async function doctor(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const { dataDir } = place(command);
  const config = existing(dataDir);
  const findings = [
    ...(await machineFindings()),
    ...(config === undefined ? [] : await findingsOf(config)),
  ];
  if (config === undefined)
    findings.push({
      what: 'cluster',
      ok: false,
      text: 'none was started yet',
      mend: './tandem up',
    });
  if (command.text('output') === 'json')
    terminal.out(`${JSON.stringify(findings, undefined, 2)}\n`);
  else for (const finding of findings) terminal.out(line(finding, terminal));
  return findings.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.unhealthy;
}

function line(finding: Finding, terminal: Terminal): string {
  const mark = finding.ok ? paint(terminal, 'green', 'ok  ') : paint(terminal, 'red', 'BAD ');
  const mend = finding.mend === undefined ? '' : `\n       mend it: ${finding.mend}`;
  return `${mark} ${finding.what}: ${finding.text}${mend}\n`;
}

async function machineFindings(): Promise<readonly Finding[]> {
  if (!isRoot())
    return [{ what: 'user', ok: true, text: 'not root: server and API only, no nodes' }];
  const machine = await probeMachine();
  const missing = machine.missing.map(({ program }) => program);
  const packages = [...new Set(machine.missing.map((item) => item.package))];
  return [
    missing.length === 0
      ? { what: 'programs', ok: true, text: `${machine.ociRuntime}, conmon, nft, ip are here` }
      : {
          what: 'programs',
          ok: false,
          text: `${missing.join(', ')} missing`,
          mend: `apt-get install -y --no-install-recommends ${packages.join(' ')}`,
        },
    { what: 'cgroups', ok: machine.cgroups !== 'none', text: machine.cgroups },
  ];
}

export async function findingsOf(config: ClusterConfig): Promise<readonly Finding[]> {
  const own = config.name === 'tandem' ? '' : ` --name ${config.name}`;
  const findings: Finding[] = [diskFinding(config)];
  for (const name of processNames(config)) {
    const { pid, supervisorPid } = processState(runDirOf(config), name);
    if (pid === undefined)
      findings.push({
        what: name,
        ok: false,
        text:
          supervisorPid === undefined ? 'does not run' : `keeps ending: ${logPath(config, name)}`,
        mend:
          supervisorPid === undefined
            ? `./tandem up${own}`
            : `./tandem logs${own} --component ${name === 'server' ? name : 'agent'} --tail 20`,
      });
    else findings.push({ what: name, ok: true, text: `runs as process ${pid}` });
  }
  if (config.root) {
    const { clusterBridge } = planOf(config);
    const there = interfaces().has(clusterBridge);
    findings.push({
      what: 'network',
      ok: there,
      text: there ? `bridge ${clusterBridge}` : `bridge ${clusterBridge} is gone`,
      ...(there ? {} : { mend: `./tandem up${own}` }),
    });
  }
  const now = await statusOf(config);
  findings.push({
    what: 'API',
    ok: now.server.ready,
    text: now.server.ready ? now.url : `${now.url}: ${now.server.problem}`,
    ...(now.server.ready ? {} : { mend: `./tandem restart${own}` }),
  });
  for (const agent of now.agents.filter(({ ready }) => !ready))
    findings.push({
      what: `node ${agent.node}`,
      ok: false,
      text: 'is not Ready',
      mend: `./tandem logs${own} --component agent --node ${agent.node} --tail 20`,
    });
  return findings;
}

function diskFinding(config: ClusterConfig): Finding {
  try {
    accessSync(config.dataDir, constants.W_OK);
  } catch {
    return {
      what: 'disk',
      ok: false,
      text: `${config.dataDir} cannot be written`,
      mend: `mount -o remount,rw $(findmnt -no TARGET -T ${config.dataDir})`,
    };
  }
  const { bavail, bsize } = statfsSync(config.dataDir);
  const free = bavail * bsize;
  return free >= freeBytesMin
    ? { what: 'disk', ok: true, text: `${formatBytes(free)} free at ${config.dataDir}` }
    : {
        what: 'disk',
        ok: false,
        text: `only ${formatBytes(free)} free at ${config.dataDir}`,
        mend: './tandem image ls',
      };
}

import { join } from 'node:path';
import { openNodeNamespace, removeEverything } from '#node/runtime';
import type { RemovalOptions } from '#node/runtime';
import { systemClock } from '#io';
import { runDirOf } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { planOf } from './plan.ts';

/** Where one node of a cluster keeps its things. */
export interface NodePaths {
  readonly name: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly imageDir: string;
  readonly pkiDir: string;
  readonly podDir: string;
  readonly memoryDir: string;
  readonly logDir: string;
  readonly cgroupRoot: string;
}

export function nodePaths(config: ClusterConfig, index: number): NodePaths {
  const name = planOf(config).nodeName(index);
  const dataDir = join(config.dataDir, 'nodes', name);
  const runDir = join(runDirOf(config), 'nodes', name);
  return {
    name,
    dataDir,
    runDir: join(runDir, 'runtime'),
    imageDir: join(config.dataDir, 'images'),
    pkiDir: join(dataDir, 'pki'),
    podDir: join(dataDir, 'pods'),
    memoryDir: join(runDir, 'memory'),
    logDir: join(dataDir, 'logs'),
    cgroupRoot: `tandem-${config.name}`,
  };
}

/** Command that enters the node's namespaces, made when they are missing. */
export async function enterNode(config: ClusterConfig, index: number): Promise<readonly string[]> {
  const netns = planOf(config).netns(index);
  const { path } = await openNodeNamespace(nodePaths(config, index).runDir);
  return [
    'nsenter',
    `--mount=${path}`,
    ...(netns === undefined ? [] : [`--net=/run/netns/${netns}`]),
    '--',
  ];
}

function removal(config: ClusterConfig, index: number): RemovalOptions {
  const plan = planOf(config);
  const paths = nodePaths(config, index);
  return {
    cluster: config.name,
    node: paths.name,
    dataDir: join(paths.dataDir, 'runtime'),
    runDir: paths.runDir,
    cgroupRoot: paths.cgroupRoot,
    // In a namespace of its own the bridge goes with the namespace.
    bridge: plan.netns(index) === undefined ? plan.podBridge : undefined,
    clock: systemClock,
  };
}

/** Ends every container of the cluster; images and volumes stay. */
export async function stopContainers(config: ClusterConfig): Promise<void> {
  for (let index = 0; index < config.nodes; index++)
    await removeEverything({ ...removal(config, index), keepData: true });
}

/** Takes away every container, mount, cgroup and link that the cluster's nodes made. */
export async function removeContainers(config: ClusterConfig): Promise<void> {
  for (let index = 0; index < config.nodes; index++) await removeEverything(removal(config, index));
}

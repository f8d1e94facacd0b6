import type { Node } from '#kube/kinds';
import { tolerates } from '#kube/kinds';
import { nodePreference } from './node-match.ts';
import type { NodeTable } from './nodes.ts';
import type { Shape } from './shape.ts';

/** Weights of the reference's default profile. */
export const scoreWeights = {
  taintToleration: 3,
  nodeAffinity: 2,
  podTopologySpread: 2,
  interPodAffinity: 2,
  resourcesFit: 1,
  balancedAllocation: 1,
  imageLocality: 1,
} as const;

/** Scores a node by what rarely changes; normalised over all nodes that passed. */
export interface NodeScore {
  readonly weight: number;
  /** `most`: the highest raw value gets 100; `least`: the lowest does; `own`: raw is 0..100 already. */
  readonly normalise: 'most' | 'least' | 'own';
  /** False: the score is 0 for every node and need not be asked. */
  applies(shape: Shape): boolean;
  raw(shape: Shape, node: Node): number;
}

export const nodeScores: readonly NodeScore[] = [
  {
    weight: scoreWeights.taintToleration,
    normalise: 'least',
    applies: () => true,
    raw: ({ example }, node) => {
      const soft = (example.spec.tolerations ?? []).filter(
        ({ effect }) => effect === undefined || effect === '' || effect === 'PreferNoSchedule',
      );
      return (node.spec.taints ?? []).filter(
        (taint) =>
          taint.effect === 'PreferNoSchedule' &&
          !soft.some((toleration) => tolerates(toleration, taint)),
      ).length;
    },
  },
  {
    weight: scoreWeights.nodeAffinity,
    normalise: 'most',
    applies: ({ wishes }) => wishes.preferred.length > 0,
    raw: ({ wishes }, node) => nodePreference(wishes, node),
  },
  {
    weight: scoreWeights.imageLocality,
    normalise: 'own',
    applies: () => true,
    raw: imageLocality,
  },
];

const mebi = 1024 * 1024;

/** 0 to 100 by the bytes of the Pod's images that are there already (plugins/imagelocality). */
function imageLocality({ example }: Shape, node: Node): number {
  const images = node.status.images ?? [];
  if (images.length === 0) return 0;
  const containers = example.spec.containers ?? [];
  let bytes = 0;
  for (const { image } of containers) {
    if (image === undefined) continue;
    const wanted = /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
    const found = images.find(({ names }) => names?.includes(wanted) === true);
    bytes += found?.sizeBytes ?? 0;
  }
  const low = 23 * mebi;
  const high = 1000 * mebi * containers.length;
  return Math.floor((100 * (Math.min(Math.max(bytes, low), high) - low)) / (high - low));
}

/** Raw values to 0..100 over the rows that passed, times the weight, added to `into`. */
export function addNormalised(
  score: NodeScore,
  values: { readonly raw: Float64Array; readonly code: Uint8Array; readonly rows: number },
  into: Float64Array,
): void {
  const { raw, code, rows } = values;
  let max = 0;
  for (let row = 0; row < rows; row++)
    if (code[row] === 0 && (raw[row] ?? 0) > max) max = raw[row] ?? 0;
  for (let row = 0; row < rows; row++) {
    if (code[row] !== 0) continue;
    let value = raw[row] ?? 0;
    if (score.normalise !== 'own') {
      value = max === 0 ? 0 : Math.floor((100 * value) / max);
      if (score.normalise === 'least') value = 100 - value;
    }
    into[row] = (into[row] ?? 0) + score.weight * value;
  }
}

/** LeastAllocated and BalancedAllocation of one row, weights applied. */
export function roomScore(shape: Shape, table: NodeTable, row: number): number {
  const cpuAll = table.allocatable('cpu')[row] ?? 0;
  const memoryAll = table.allocatable('memory')[row] ?? 0;
  const cpuUsed = cpuAll - (table.free('cpu')[row] ?? 0);
  const memoryUsed = memoryAll - (table.free('memory')[row] ?? 0);
  const least =
    (leastAllocated(cpuUsed + (table.extraCpu[row] ?? 0) + shape.cpuNonZero, cpuAll) +
      leastAllocated(
        memoryUsed + (table.extraMemory[row] ?? 0) + shape.memoryNonZero,
        memoryAll,
      )) >>
    1;
  const cpu = shape.amounts['cpu'] ?? 0;
  const memory = shape.amounts['memory'] ?? 0;
  // Without requests a Pod upsets no balance: the plugin is skipped.
  if (cpu + memory === 0 || cpuAll === 0 || memoryAll === 0)
    return scoreWeights.resourcesFit * least;
  const before = balance(cpuUsed / cpuAll, memoryUsed / memoryAll);
  const after = balance((cpuUsed + cpu) / cpuAll, (memoryUsed + memory) / memoryAll);
  const balanced = Math.floor(50 + (50 + after - before) / 2);
  return scoreWeights.resourcesFit * least + scoreWeights.balancedAllocation * balanced;
}

function leastAllocated(used: number, all: number): number {
  return all === 0 || used > all ? 0 : Math.floor(((all - used) * 100) / all);
}

function balance(a: number, b: number): number {
  return (1 - Math.abs(Math.min(1, a) - Math.min(1, b)) / 2) * 100;
}

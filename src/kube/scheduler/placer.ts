import type { Random } from '#base';
import { nodeFilters, roomFilters } from './filters.ts';
import type { NodeTable } from './nodes.ts';
import { addNormalised, nodeScores, roomScore } from './scores.ts';
import type { Shape } from './shape.ts';
import {
  judgeTopology,
  planTopology,
  scoreTopology,
  topologyReasons,
  type TopologyPlan,
  type TopologyWorld,
} from './topology.ts';

/** Code of a row in `codes`: 0 fits; then node filters, room filters; 255 is no node at all. */
const noNode = 255;
const roomBase = nodeFilters.length + 1;

/** What is remembered of one shape: every row is judged once and again only when it changed. */
interface ShapeMemory {
  readonly shape: Shape;
  codes: Uint8Array;
  room: Float64Array;
  fixed: Float64Array;
  stamps: Uint32Array;
  versions: Uint32Array;
}

/** Why no row would do, counted by reason. */
export interface Refusal {
  readonly reasons: ReadonlyMap<string, number>;
  readonly plugins: ReadonlySet<string>;
  readonly nodes: number;
  /** Rows where taking Pods away could help. */
  readonly helpable: readonly number[];
  /** Rows that would do if they had more room. */
  readonly short: readonly number[];
  /** What kept it from every node alike, before any was looked at. */
  readonly before?: string | undefined;
}

/** Rows remembered over all shapes: some 25 bytes each. */
const memoryRowsMax = 500_000;

/** Chooses rows for Pods of a shape, on the table as it stands. Decides only; takes nothing. */
export class Placer {
  readonly #world: TopologyWorld;
  readonly #table: NodeTable;
  readonly #random: Random;
  readonly #memories = new Map<string, ShapeMemory>();
  #scores = new Float64Array(0);
  #raw = new Float64Array(0);
  #refused = new Uint8Array(0);
  #possible = new Uint8Array(0);

  constructor(world: TopologyWorld, random: Random) {
    this.#world = world;
    this.#table = world.table;
    this.#random = random;
  }

  /** Prepares a batch of one shape; the plan holds until the batch is over. */
  plan(shape: Shape): TopologyPlan | undefined {
    return planTopology(shape, this.#world);
  }

  /** The best row, or -1. */
  choose(shape: Shape, plan: TopologyPlan | undefined): number {
    const memory = this.#refresh(shape);
    const rows = this.#table.rows;
    const { codes, room, fixed } = memory;
    this.#scratch();
    const scores = this.#scores;
    if (plan === undefined) {
      for (let row = 0; row < rows; row++) scores[row] = (room[row] ?? 0) + (fixed[row] ?? 0);
      return this.#best(rows, codes, scores);
    }
    const refused = this.#refused;
    const possible = this.#possible;
    judgeTopology(plan, rows, refused);
    let any = false;
    for (let row = 0; row < rows; row++) {
      const fits = codes[row] === 0 && refused[row] === 0;
      possible[row] = fits ? 1 : 0;
      scores[row] = fits ? (room[row] ?? 0) + (fixed[row] ?? 0) : 0;
      any ||= fits;
      // `codes` of the scan below: 0 where it is possible.
      refused[row] = fits ? 0 : 1;
    }
    if (!any) return -1;
    const defaulted = shape.defaultedSpread;
    scoreTopology(plan, possible, { rows, into: scores, raw: this.#raw, defaulted });
    return this.#best(rows, refused, scores);
  }

  /** Why `choose` gave -1. Slow: only asked when it did. */
  explain(shape: Shape, plan: TopologyPlan | undefined): Refusal {
    const { codes } = this.#refresh(shape);
    this.#scratch();
    const rows = this.#table.rows;
    if (plan !== undefined) judgeTopology(plan, rows, this.#refused);
    else this.#refused.fill(0);
    const reasons = new Map<string, number>();
    const plugins = new Set<string>();
    const helpable: number[] = [];
    const short: number[] = [];
    const count = (reason: string): void => {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    };
    let nodes = 0;
    for (const row of this.#table.row.values()) {
      const code = codes[row] ?? noNode;
      if (code === noNode) continue;
      nodes++;
      const nodeFilter = nodeFilters[code - 1];
      const roomFilter = roomFilters[code - roomBase];
      const refused = topologyReasons[(this.#refused[row] ?? 0) - 1];
      if (code > 0 && nodeFilter !== undefined) {
        plugins.add(nodeFilter.plugin);
        count(nodeFilter.reason);
      } else if (code > 0 && roomFilter !== undefined) {
        plugins.add(roomFilter.plugin);
        for (const reason of roomFilter.reasons(shape, this.#table, row)) count(reason);
        helpable.push(row);
        short.push(row);
      } else if (refused !== undefined) {
        plugins.add(refused.plugin);
        count(refused.reason);
        if (
          !refused.reason.includes('missing required label') &&
          !refused.reason.endsWith('pod affinity rules')
        )
          helpable.push(row);
      }
    }
    return { reasons, plugins, nodes, helpable, short };
  }

  /** Forgets a shape whose meaning changed under the same key. */
  forget(): void {
    this.#memories.clear();
  }

  /** The highest score among rows whose code is 0; equal ones by lot. */
  #best(rows: number, codes: Uint8Array, scores: Float64Array): number {
    let best = Number.NEGATIVE_INFINITY;
    let first = -1;
    let ties = 0;
    for (let row = 0; row < rows; row++) {
      if (codes[row] !== 0) continue;
      const value = scores[row] ?? 0;
      if (value > best) {
        best = value;
        first = row;
        ties = 1;
      } else if (value === best) ties++;
    }
    if (ties <= 1) return first;
    let skip = this.#random.below(ties);
    for (let row = first; row < rows; row++)
      if (codes[row] === 0 && scores[row] === best && skip-- === 0) return row;
    return first;
  }

  #refresh(shape: Shape): ShapeMemory {
    const table = this.#table;
    const memory = this.#memory(shape);
    const { versions, stamps, codes, room } = memory;
    let fixedChanged = false;
    for (let row = 0; row < table.rows; row++) {
      const version = table.version[row] ?? 0;
      if (versions[row] === version) continue;
      versions[row] = version;
      const before = codes[row] ?? noNode;
      if (stamps[row] !== table.stamp[row] || before === noNode || table.alive[row] === 0) {
        stamps[row] = table.stamp[row] ?? 0;
        codes[row] = this.#judgeNode(shape, row);
        fixedChanged = true;
      } else if (before >= roomBase) codes[row] = 0;
      if (codes[row] === 0) codes[row] = this.#judgeRoom(shape, row);
      if (codes[row] === 0) room[row] = roomScore(shape, table, row);
    }
    if (fixedChanged) this.#rescore(memory);
    return memory;
  }

  #judgeNode(shape: Shape, row: number): number {
    const node = this.#table.nodes[row];
    if (node === undefined || this.#table.alive[row] === 0) return noNode;
    const at = nodeFilters.findIndex((filter) => !filter.passes(shape, node));
    return at + 1;
  }

  #judgeRoom(shape: Shape, row: number): number {
    const at = roomFilters.findIndex((filter) => !filter.passes(shape, this.#table, row));
    return at < 0 ? 0 : roomBase + at;
  }

  /** The normalised node scores depend on the highest of all: they are made together. */
  #rescore(memory: ShapeMemory): void {
    const { rows } = this.#table;
    const { shape, fixed } = memory;
    // A row that is only full now is scored too: room comes back without a change of the node.
    const code = memory.codes.map((one) => (one >= roomBase && one !== noNode ? 0 : one));
    fixed.fill(0);
    const raw = new Float64Array(memory.codes.length);
    for (const score of nodeScores) {
      if (!score.applies(shape)) continue;
      for (let row = 0; row < rows; row++) {
        const node = this.#table.nodes[row];
        raw[row] = node !== undefined && code[row] === 0 ? score.raw(shape, node) : 0;
      }
      addNormalised(score, { raw, code, rows }, fixed);
    }
  }

  #memory(shape: Shape): ShapeMemory {
    const length = this.#table.version.length;
    let memory = this.#memories.get(shape.key);
    if (memory !== undefined && memory.codes.length === length && memory.shape === shape)
      return memory;
    memory = {
      shape,
      codes: new Uint8Array(length).fill(noNode),
      room: new Float64Array(length),
      fixed: new Float64Array(length),
      stamps: new Uint32Array(length),
      versions: new Uint32Array(length),
    };
    this.#memories.delete(shape.key);
    if (this.#memories.size >= Math.max(8, memoryRowsMax / length))
      for (const oldest of this.#memories.keys()) {
        this.#memories.delete(oldest);
        break;
      }
    this.#memories.set(shape.key, memory);
    return memory;
  }

  #scratch(): void {
    const length = this.#table.version.length;
    if (this.#scores.length === length) return;
    this.#scores = new Float64Array(length);
    this.#raw = new Float64Array(length);
    this.#refused = new Uint8Array(length);
    this.#possible = new Uint8Array(length);
  }
}

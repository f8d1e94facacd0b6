import { timeOr } from '#base';
import type { TableDeclaration } from '#machinery';
import { isSidecar } from '../pod-spec/pod-facts.ts';
import { ageColumn, column, humanDuration, nameColumn } from '../shared/columns.ts';
import { conditionOf, isConditionTrue } from '../shared/conditions.ts';
import type { ContainerStatus, Pod } from '../types/core-v1.ts';

/** What the Ready, Status and Restarts columns say; they are one walk over the statuses. */
interface Summary {
  readonly text: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  /** When the latest counted restart ended; undefined when none is known. */
  readonly restartedMs: number | undefined;
}

const none = (text: string | undefined): string => text || '<none>';

export const podTable: TableDeclaration<Pod> = {
  columns: [
    nameColumn,
    column('Ready', (pod) => {
      const { ready, total } = summarize(pod);
      return `${ready}/${total}`;
    }),
    column('Status', (pod) => summarize(pod).text),
    column('Restarts', (pod, nowMs) => {
      const { restarts, restartedMs } = summarize(pod);
      return restarts === 0 || restartedMs === undefined
        ? `${restarts}`
        : `${restarts} (${humanDuration(nowMs - restartedMs)} ago)`;
    }),
    ageColumn,
    column('IP', ({ status }) => none(status.podIPs?.[0]?.ip), { wide: true }),
    column('Node', ({ spec }) => none(spec.nodeName), { wide: true }),
    column('Nominated Node', ({ status }) => none(status.nominatedNodeName), { wide: true }),
    column('Readiness Gates', gatesCell, { wide: true }),
  ],
  rowConditions: ({ status }) => {
    if (status.phase === 'Succeeded')
      return [completed('Succeeded', 'The pod has completed successfully.')];
    return status.phase === 'Failed' ? [completed('Failed', 'The pod failed.')] : [];
  },
};

function completed(reason: string, message: string): Readonly<Record<string, string>> {
  return { type: 'Completed', status: 'True', reason, message };
}

function gatesCell({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const open = gates.filter(({ conditionType }) =>
    isConditionTrue(status.conditions, conditionType),
  );
  return `${open.length}/${gates.length}`;
}

const summaries = new WeakMap<Pod, Summary>();

function summarize(pod: Pod): Summary {
  const known = summaries.get(pod);
  if (known !== undefined) return known;
  const summary = readSummary(pod);
  summaries.set(pod, summary);
  return summary;
}

function readSummary(pod: Pod): Summary {
  const { spec, status } = pod;
  const initial = initialText(pod);
  const walk = walkInits(pod);
  const counted = walk.counted;
  let { ready } = walk;
  let text = walk.text ?? initial;
  if (walk.text === undefined || isConditionTrue(status.conditions, 'Initialized')) {
    const main = walkContainers(pod, text);
    text = main.text;
    ready += main.ready;
    counted.length = 0;
    counted.push(...walk.sidecars, ...(status.containerStatuses ?? []));
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') text = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') text = 'Terminating';
  }
  const ended = counted
    .map(({ lastState }) => timeOr(lastState?.terminated?.finishedAt, Number.NaN))
    .filter((ms) => !Number.isNaN(ms));
  return {
    text,
    ready,
    total: (spec.containers ?? []).length + (spec.initContainers ?? []).filter(isSidecar).length,
    restarts: counted.reduce((sum, { restartCount }) => sum + restartCount, 0),
    restartedMs: ended.length === 0 ? undefined : Math.max(...ended),
  };
}

function initialText({ status }: Pod): string {
  if (conditionOf(status.conditions, 'PodScheduled')?.reason === 'SchedulingGated')
    return 'SchedulingGated';
  return status.reason || status.phase || '';
}

interface InitWalk {
  /** Set while an init container holds the Pod up. */
  readonly text: string | undefined;
  readonly ready: number;
  readonly counted: ContainerStatus[];
  readonly sidecars: readonly ContainerStatus[];
}

function walkInits({ spec, status }: Pod): InitWalk {
  const restartable = new Set(
    (spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name),
  );
  const statuses = status.initContainerStatuses ?? [];
  const sidecars = statuses.filter(({ name }) => restartable.has(name));
  const counted: ContainerStatus[] = [];
  let ready = 0;
  for (const [index, one] of statuses.entries()) {
    counted.push(one);
    const { waiting, terminated } = one.state;
    if (terminated?.exitCode === 0) continue;
    if (restartable.has(one.name) && one.started === true) {
      if (one.ready) ready++;
      continue;
    }
    const total = spec.initContainers?.length ?? 0;
    let text = `Init:${index}/${total}`;
    if (terminated !== undefined) {
      const how = terminated.signal
        ? `Signal:${terminated.signal}`
        : `ExitCode:${terminated.exitCode}`;
      text = `Init:${terminated.reason || how}`;
    } else if (waiting?.reason && waiting.reason !== 'PodInitializing')
      text = `Init:${waiting.reason}`;
    return { text, ready, counted, sidecars };
  }
  return { text: undefined, ready, counted, sidecars };
}

function walkContainers(pod: Pod, before: string): { text: string; ready: number } {
  let text = before;
  let ready = 0;
  let running = false;
  let errorText = '';
  for (const { state, ready: isReady } of (pod.status.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated } = state;
    if (waiting?.reason) text = waiting.reason;
    else if (terminated !== undefined) {
      const how = terminated.signal
        ? `Signal:${terminated.signal}`
        : `ExitCode:${terminated.exitCode}`;
      text = terminated.reason || how;
      if (terminated.exitCode !== 0) errorText = text;
    } else if (isReady && state.running !== undefined) {
      running = true;
      ready++;
    }
  }
  if (text !== 'Completed') return { text, ready };
  if (running && isConditionTrue(pod.status.conditions, 'Ready')) return { text: 'Running', ready };
  return { text: errorText || (running ? 'NotReady' : text), ready };
}

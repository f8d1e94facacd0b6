import type { ContainerStatus, Pod, PodCondition, PodStatus } from '#kube/kinds';
import { containerStatus } from './container-status.ts';
import type { StatusContext } from './container-status.ts';
import { isSidecar } from './limits.ts';
import { runsAgain } from './plan.ts';
import { timeText } from './quantity.ts';
import type { ResizeCondition } from './resize.ts';

export interface PodOutcome {
  readonly phase: 'Failed' | 'Succeeded';
  readonly reason: string;
  readonly message: string;
}
export interface PodFacts extends StatusContext {
  readonly nowMs: number;
  readonly nodeIp: string;
  readonly podIp: string;
  readonly sandboxReady: boolean;
  readonly startTime: string;
  readonly resize: readonly ResizeCondition[];
  /** Decided by the node: evicted, past its deadline, refused. */
  readonly outcome: PodOutcome | undefined;
  /** Nothing of the Pod runs any more and nothing will. */
  readonly over: boolean;
}

/** The status a Pod should have, of those fields that belong to the kubelet. Pure. */
export function podStatus(pod: Pod, facts: PodFacts): PodStatus {
  const inits = (pod.spec.initContainers ?? []).map((spec) =>
    containerStatus(pod, { role: 'init', spec }, facts),
  );
  const apps = pod.spec.containers.map((spec) =>
    containerStatus(pod, { role: 'app', spec }, facts),
  );
  const extras = (pod.spec.ephemeralContainers ?? []).map((spec) =>
    containerStatus(pod, { role: 'ephemeral', spec }, facts),
  );
  const phase = phaseOf(pod, { inits, apps, facts });
  const { outcome } = facts;
  const base: PodStatus = {
    observedGeneration: pod.metadata.generation,
    phase,
    reason: outcome?.reason,
    message: outcome?.message,
    hostIP: facts.nodeIp,
    hostIPs: [{ ip: facts.nodeIp }],
    startTime: facts.startTime,
    ...(facts.podIp === '' ? {} : { podIP: facts.podIp, podIPs: [{ ip: facts.podIp }] }),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: apps,
    ...(extras.length > 0 ? { ephemeralContainerStatuses: extras } : {}),
  };
  return { ...base, conditions: conditionsOf(pod, { phase, inits, apps, facts }) };
}

interface Statuses {
  readonly inits: readonly ContainerStatus[];
  readonly apps: readonly ContainerStatus[];
  readonly facts: PodFacts;
}

function phaseOf(pod: Pod, { inits, apps, facts }: Statuses): string {
  const old = pod.status?.phase;
  if (old === 'Failed' || old === 'Succeeded') return old;
  if (facts.over && facts.outcome !== undefined) return facts.outcome.phase;
  if (facts.over) {
    const all = [
      ...apps,
      ...inits.filter(
        (_, index) => !isSidecar(pod.spec.initContainers?.[index] ?? { name: '', resources: {} }),
      ),
    ];
    const fine = all.every(({ state }) => state.terminated?.exitCode === 0);
    return fine ? 'Succeeded' : 'Failed';
  }
  const initPending = inits.some((status, index) => {
    const spec = pod.spec.initContainers?.[index];
    if (spec !== undefined && isSidecar(spec))
      return status.started !== true && apps.every(neverRan);
    return status.state.terminated?.exitCode !== 0;
  });
  if (initPending && apps.every(neverRan)) return 'Pending';
  // A container that was appended to a Pod that runs does not take it back.
  if (apps.some(neverRan) && old !== 'Running') return 'Pending';
  return 'Running';
}

function neverRan({ state, lastState }: ContainerStatus): boolean {
  return state.waiting !== undefined && lastState.terminated === undefined;
}

interface ConditionInput extends Statuses {
  readonly phase: string;
}
interface Finding {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
}

function conditionsOf(pod: Pod, input: ConditionInput): readonly PodCondition[] {
  const { facts } = input;
  const containers = containersReady(pod, input);
  const found: [string, Finding][] = [
    ['PodReadyToStartContainers', { status: facts.sandboxReady && !facts.over ? 'True' : 'False' }],
    ['Initialized', initialized(pod, input)],
    ['Ready', gated(pod, containers)],
    ['ContainersReady', containers],
    ['PodScheduled', { status: 'True' }],
  ];
  const now = timeText(facts.nowMs);
  const own = found.map(([type, finding]): PodCondition => {
    const old = pod.status?.conditions?.find((condition) => condition.type === type);
    const kept = old?.status === finding.status ? old.lastTransitionTime : undefined;
    return {
      type,
      ...(pod.metadata.generation === undefined
        ? {}
        : { observedGeneration: pod.metadata.generation }),
      lastTransitionTime: kept ?? now,
      ...finding,
    };
  });
  const generation = pod.metadata.generation;
  const resizes = facts.resize.map((found): PodCondition => {
    const old = pod.status?.conditions?.find(({ type }) => type === found.type);
    return {
      ...found,
      status: 'True',
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime: old?.lastTransitionTime ?? now,
    };
  });
  const target = facts.disruption;
  if (target === undefined) return [...own, ...resizes];
  return [
    ...own,
    ...resizes,
    { type: 'DisruptionTarget', status: 'True', lastTransitionTime: now, ...target },
  ];
}

function initialized(pod: Pod, { phase, inits, apps, facts }: ConditionInput): Finding {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const open = inits.filter((status, index) => {
    const spec = pod.spec.initContainers?.[index];
    if (!apps.every(neverRan) && facts.initialized) return false;
    if (spec !== undefined && isSidecar(spec)) return status.started !== true;
    return status.state.terminated?.exitCode !== 0;
  });
  if (open.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${open.map(({ name }) => name).join(' ')}]`,
  };
}

function containersReady(pod: Pod, { phase, inits, apps }: ConditionInput): Finding {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const sidecars = inits.filter((_, index) => {
    const spec = pod.spec.initContainers?.[index];
    return spec !== undefined && isSidecar(spec);
  });
  const unready = [...sidecars, ...apps].filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function gated(pod: Pod, containers: Finding): Finding {
  if (containers.status !== 'True') return containers;
  const problems: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (condition === undefined)
      problems.push(
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      );
    else if (condition.status !== 'True')
      problems.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`,
      );
  }
  if (problems.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') };
}

/** Would any container of this Pod start again, as its status stands? For Pods whose containers are lost. */
export function statusIsFinal(pod: Pod): boolean {
  const statuses = pod.status?.containerStatuses ?? [];
  if (statuses.length < pod.spec.containers.length) return false;
  return pod.spec.containers.every((spec) => {
    const code = statuses.find(({ name }) => name === spec.name)?.state.terminated?.exitCode;
    return code !== undefined && !runsAgain(pod, spec, code);
  });
}

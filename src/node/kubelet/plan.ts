import type { Container as ContainerSpec, Pod } from '#kube/kinds';
import type { Container } from '#node/runtime';
import { isSidecar } from './limits.ts';
import { alive, annotations, newest, slotsOf } from './pod-view.ts';
import type { PodView, Slot } from './pod-view.ts';

/** What the worker remembers of a container beside what the runtime has. */
export interface ContainerFacts {
  /** Passed its startup probe and its postStart hook. */
  started(container: Container): boolean;
  /** Was ended only because its definition changed: its policy does not count. */
  replaced(container: Container): boolean;
  /** The runtime has none, and none will be made: it counts as ended. */
  refused(name: string): boolean;
}
export interface Plan {
  /** A sandbox is missing and something wants to run. */
  readonly sandbox: boolean;
  readonly start: readonly Slot[];
  readonly kill: readonly { readonly container: Container; readonly message: string }[];
  /** Init containers are done (sidecars: started). */
  readonly initialized: boolean;
  /** Everything ended and nothing is to run again. */
  readonly over: boolean;
}

/**
 * Compares what a Pod wants with what is there (k8s kuberuntime computePodActions). Pure: back-off and
 * effects are the worker's. Containers of an older sandbox are history, not state.
 */
export function planPod(pod: Pod, view: PodView, facts: ContainerFacts): Plan {
  const sandbox = view.sandboxes[0];
  const ready = sandbox?.state === 'ready';
  const current = (name: string): Container | undefined => {
    const container = newest(view, name);
    return container !== undefined && container.sandboxId === sandbox?.id ? container : undefined;
  };
  if (!ready) return withoutSandbox(pod, view, facts);
  const begun = pod.spec.containers.some(({ name }) => current(name) !== undefined);
  const init = planInit(pod, { current, begun, facts });
  const start: Slot[] = [...init.start];
  const kill: { container: Container; message: string }[] = [];
  if (init.failed) return { sandbox: false, start: [], kill: [], initialized: false, over: true };
  const slots = slotsOf(pod).filter(({ role }) => role !== 'init');
  let pending = false;
  for (const slot of slots) {
    const container = current(slot.spec.name);
    if (container !== undefined && changed(container, slot.spec))
      kill.push({
        container,
        message: `Container ${slot.spec.name} definition changed, will be restarted`,
      });
    if (!init.initialized) {
      if (slot.role === 'app') pending = true;
      continue;
    }
    if (slot.role === 'ephemeral') {
      // An ephemeral container runs once.
      if (newest(view, slot.spec.name) === undefined) start.push(slot);
      continue;
    }
    if (alive(container)) pending = true;
    else if (container === undefined && facts.refused(slot.spec.name)) continue;
    else if (
      container === undefined ||
      facts.replaced(container) ||
      runsAgain(pod, slot.spec, container.exitCode ?? 137)
    ) {
      pending = true;
      start.push(slot);
    }
  }
  const over = init.initialized && !pending;
  return { sandbox: false, start: over ? [] : start, kill, initialized: init.initialized, over };
}

/** The sandbox is missing or gone: what ended for good stays ended, the rest starts anew. */
function withoutSandbox(pod: Pod, view: PodView, facts: ContainerFacts): Plan {
  const finished = pod.spec.containers.every(({ name, ...spec }) => {
    const container = newest(view, name);
    if (container === undefined) return facts.refused(name);
    if (alive(container)) return false;
    return !runsAgain(pod, { name, ...spec }, container.exitCode ?? 137);
  });
  const failedInit =
    pod.spec.restartPolicy === 'Never' &&
    (pod.spec.initContainers ?? []).some((spec) => {
      const container = newest(view, spec.name);
      return !isSidecar(spec) && container?.state === 'exited' && container.exitCode !== 0;
    });
  const over = finished || failedInit;
  return { sandbox: !over, start: [], kill: [], initialized: finished, over };
}

function planInit(
  pod: Pod,
  context: {
    readonly current: (name: string) => Container | undefined;
    readonly begun: boolean;
    readonly facts: ContainerFacts;
  },
): { initialized: boolean; failed: boolean; start: readonly Slot[] } {
  const { current, begun, facts } = context;
  const start: Slot[] = [];
  for (const spec of pod.spec.initContainers ?? []) {
    const container = current(spec.name);
    const slot: Slot = { role: 'init', spec };
    if (isSidecar(spec)) {
      if (!alive(container)) start.push(slot);
      if (begun) continue;
      if (container === undefined || !alive(container) || !facts.started(container))
        return { initialized: false, failed: false, start };
      continue;
    }
    if (begun || (container?.state === 'exited' && container.exitCode === 0)) continue;
    if (alive(container)) return { initialized: false, failed: false, start };
    if (container !== undefined && !initRunsAgain(pod, spec, container.exitCode ?? 137))
      return { initialized: false, failed: true, start: [] };
    start.push(slot);
    return { initialized: false, failed: false, start };
  }
  return { initialized: true, failed: false, start };
}

function initRunsAgain(pod: Pod, spec: ContainerSpec, exitCode: number): boolean {
  const byRule = ruleOf(spec, exitCode);
  if (byRule !== undefined) return byRule;
  return (spec.restartPolicy ?? pod.spec.restartPolicy) !== 'Never';
}

/** Does a container that ended so start again? (restartPolicy; rules of its own come first) */
export function runsAgain(pod: Pod, spec: ContainerSpec, exitCode: number): boolean {
  const byRule = ruleOf(spec, exitCode);
  if (byRule !== undefined) return byRule;
  const policy = spec.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && exitCode !== 0;
}

function ruleOf(spec: ContainerSpec, exitCode: number): boolean | undefined {
  for (const rule of spec.restartPolicyRules ?? []) {
    const codes = rule.exitCodes;
    if (codes === undefined) continue;
    const listed = (codes.values ?? []).includes(exitCode);
    if (codes.operator === 'In' ? listed : !listed) return rule.action === 'Restart';
  }
  return undefined;
}

/** Only the image of a container may change while it runs. */
function changed(container: Container, spec: ContainerSpec): boolean {
  const image = container.spec.annotations[annotations.image];
  return alive(container) && image !== undefined && image !== (spec.image ?? '');
}

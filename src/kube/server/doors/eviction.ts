import type { Clock, FaceReply } from '#base';
import { formatTime } from '#base';
import type { ApiServer, Door, DoorRequest, Reader } from '#apiserver';
import {
  podDisruptionBudgets,
  pods,
  type Eviction,
  type LabelSelector,
  type Pod,
  type PodDisruptionBudget,
} from '#kube/kinds';
import {
  type Api,
  type DeleteOptions,
  type Draft,
  type KubeObject,
  StatusError,
  badRequest,
  forbidden,
  notFound,
  successStatus,
} from '#machinery';
import { podCondition } from '../pods.ts';
import { statusReply } from './replies.ts';

export interface EvictionParts {
  readonly reader: Reader;
  readonly server: Pick<ApiServer, 'updateMany'>;
  /** In process, with every right: what may be evicted is decided before. */
  readonly api: Api;
  readonly clock: Clock;
}

const evictionType = 'k8s.io.api.policy.v1.Eviction';
const refusalText = "Cannot evict pod as it would violate the pod's disruption budget.";
const disruptedPodsMax = 2000;

/** `POST pods/<name>/eviction`: a delete that asks the disruption budgets first. */
export function evictionDoor(parts: EvictionParts): Door {
  return {
    group: '',
    resource: 'pods',
    subresource: 'eviction',
    handle: (door) => evict(door, parts),
  };
}

async function evict(door: DoorRequest, parts: EvictionParts): Promise<FaceReply> {
  const eviction = (await door.body(evictionType)) as unknown as Draft<Eviction>;
  const { name, namespace } = door.attributes;
  if ((eviction.metadata.name ?? '') !== '' && eviction.metadata.name !== name)
    throw badRequest('name in URL does not match name in Eviction object');
  const pod = parts.reader.get(pods, name, namespace);
  if (pod === undefined) throw notFound(pods, name);
  await door.admit('CREATE', eviction as unknown as Draft<KubeObject>);
  const dryRun =
    door.query.get('dryRun') === 'All' || eviction.deleteOptions?.dryRun?.includes('All') === true;
  const options = deleteOptions(eviction);
  if (!needsBudget(pod)) return remove(parts, pod, { options, dryRun });
  const budgets = parts.reader
    .list(podDisruptionBudgets, namespace)
    .filter((budget) => selects(budget.spec.selector, pod.metadata.labels ?? {}));
  if (budgets.length > 1)
    throw new StatusError(
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const [budget] = budgets;
  if (budget === undefined) return remove(parts, pod, { options, dryRun });
  if (!isReady(pod) && toleratesUnready(budget))
    return remove(parts, pod, {
      options: { ...options, resourceVersion: pod.metadata.resourceVersion },
      dryRun,
    });
  await spend(budget, pod, { parts, dryRun });
  return remove(parts, pod, { options, dryRun });
}

function deleteOptions(eviction: Draft<Eviction>): DeleteOptions {
  const own = eviction.deleteOptions;
  const policy = own?.propagationPolicy;
  return {
    gracePeriodSeconds: own?.gracePeriodSeconds,
    ...(policy === 'Orphan' || policy === 'Background' || policy === 'Foreground'
      ? { propagationPolicy: policy }
      : {}),
    uid: own?.preconditions?.uid,
    resourceVersion: own?.preconditions?.resourceVersion,
  };
}

/** Pods that have ended, have not begun or are going already disrupt nobody. */
function needsBudget(pod: Pod): boolean {
  const phase = pod.status?.phase ?? '';
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending') return false;
  return pod.metadata.deletionTimestamp === undefined;
}

function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

function toleratesUnready(budget: PodDisruptionBudget): boolean {
  if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy, desiredHealthy } = budget.status;
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** Takes one disruption from the budget, or says why there is none. */
async function spend(
  budget: PodDisruptionBudget,
  pod: Pod,
  about: { readonly parts: EvictionParts; readonly dryRun: boolean },
): Promise<void> {
  check(budget);
  if (about.dryRun) return;
  const now = formatTime(about.parts.clock.nowMs());
  const [result] = await about.parts.server.updateMany<PodDisruptionBudget>([
    {
      resource: podDisruptionBudgets,
      name: budget.metadata.name,
      namespace: budget.metadata.namespace,
      change(draft) {
        check(draft as PodDisruptionBudget);
        draft.status.disruptionsAllowed -= 1;
        draft.status.disruptedPods = { ...draft.status.disruptedPods, [pod.metadata.name]: now };
      },
    },
  ]);
  if (result?.ok === false) throw result.error;
}

function check(budget: PodDisruptionBudget): void {
  const { name, generation = 0 } = budget.metadata;
  const { status } = budget;
  if ((status.observedGeneration ?? 0) < generation)
    throw refusal(`The disruption budget ${name} is still being processed by the server.`, 10);
  const resource = { group: 'policy', plural: 'poddisruptionbudgets' };
  if (status.disruptionsAllowed < 0)
    throw forbidden(resource, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax)
    throw forbidden(
      resource,
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  if (status.disruptionsAllowed > 0) return;
  throw refusal(whyNot(budget));
}

function whyNot(budget: PodDisruptionBudget): string {
  const { name } = budget.metadata;
  const { currentHealthy, desiredHealthy } = budget.status;
  const condition = budget.status.conditions?.find((one) => one.type === 'DisruptionAllowed');
  const failing = condition?.status === 'False' && condition.message !== '' ? condition : undefined;
  const head = `The disruption budget ${name} does not allow evicting pods currently`;
  if (failing?.reason === 'SyncFailed') return `${head} because it failed sync: ${failing.message}`;
  if (currentHealthy <= desiredHealthy)
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  if (failing !== undefined) return `${head} (${failing.reason}): ${failing.message}`;
  return head;
}

function refusal(message: string, retryAfterSeconds?: number): StatusError {
  return new StatusError('TooManyRequests', refusalText, {
    details: {
      causes: [{ reason: 'DisruptionBudget', message }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  });
}

async function remove(
  parts: EvictionParts,
  pod: Pod,
  how: { readonly options: DeleteOptions; readonly dryRun: boolean },
): Promise<FaceReply> {
  if (how.dryRun) return statusReply(201, successStatus());
  const { name, namespace, uid } = pod.metadata;
  const now = formatTime(parts.clock.nowMs());
  await parts.server.updateMany<Pod>([
    {
      resource: pods,
      name,
      namespace,
      change(draft) {
        const others = (draft.status.conditions ?? []).filter(
          (one) => one.type !== 'DisruptionTarget',
        );
        draft.status.conditions = [
          ...others,
          {
            type: 'DisruptionTarget',
            status: 'True',
            lastTransitionTime: now,
            reason: 'EvictionByEvictionAPI',
            message: 'Eviction API: evicting',
          },
        ];
      },
    },
  ]);
  // The condition has moved the version; who asked for one meant the Pod, which the uid names.
  const { resourceVersion, ...options } = how.options;
  if (resourceVersion !== undefined && resourceVersion !== pod.metadata.resourceVersion)
    throw refusal('The pod was modified while its budget was looked at.', 10);
  await parts.api.delete(pods, { name, namespace }, { ...options, uid: options.uid ?? uid });
  return statusReply(201, successStatus());
}

/** A selector that is absent selects nothing, an empty one everything. */
export function selects(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (selector === undefined) return false;
  const plain = Object.entries(selector.matchLabels ?? {});
  return (
    plain.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const listed = value !== undefined && (values ?? []).includes(value);
      return operator === 'In' ? listed : !listed;
    })
  );
}

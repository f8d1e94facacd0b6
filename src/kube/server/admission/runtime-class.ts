import type { AdmissionPlugin, AdmissionRequest, Authorizer, Reader, UserInfo } from '#apiserver';
import { serviceAccountUser, authenticated } from '#apiserver';
import { runtimeClasses, type Pod, type RuntimeClass } from '#kube/kinds';
import type { Draft } from '#machinery';
import { newPod, refuse } from './about.ts';

/** Handler of Pods that are plain processes on the host's own file system. */
export const processHandler = 'process';
const rootClass = 'process-root';
/** Who the controllers are: it may do everything, but what it creates others asked for. */
const controlPlaneName = 'system:apiserver';
/** `nobody`: who a process runs as when its Pod names nobody. */
const nobodyId = 65_534;
/** Groups below belong to the system: some of them (disk, docker) are as good as root. */
const userGroupsFrom = 1000;

/**
 * Overhead and scheduling of the class go into the Pod. A class with the `process` handler is for
 * those who may `use` it: the creator, or the Pod's service account, since controllers create Pods.
 */
export function runtimeClass(reader: Reader, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    mutate(request) {
      const pod = newPod(request);
      const name = pod?.spec.runtimeClassName;
      if (pod === undefined || name === undefined) return;
      const found = reader.get(runtimeClasses, name);
      if (found === undefined)
        throw refuse(request, `pod rejected: RuntimeClass "${name}" not found`);
      setOverhead(request, pod, found);
      setScheduling(request, pod, found);
      if (found.handler === processHandler) setProcessUser(pod);
    },
    validate(request) {
      const pod = newPod(request);
      if (pod === undefined) return;
      const name = pod.spec.runtimeClassName ?? '';
      const found = name === '' ? undefined : reader.get(runtimeClasses, name);
      const overhead = JSON.stringify(pod.spec.overhead ?? {});
      if (overhead !== JSON.stringify(found?.overhead?.podFixed ?? {}))
        throw refuse(
          request,
          found === undefined
            ? 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
            : "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        );
      if (found?.handler === processHandler) checkProcess(request, pod, { authorizer, name });
    },
  };
}

function setOverhead(request: AdmissionRequest, pod: Draft<Pod>, found: RuntimeClass): void {
  const fixed = found.overhead?.podFixed;
  if (fixed === undefined) return;
  if (
    pod.spec.overhead !== undefined &&
    JSON.stringify(pod.spec.overhead) !== JSON.stringify(fixed)
  )
    throw refuse(
      request,
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    );
  pod.spec.overhead = { ...fixed };
}

function setScheduling(request: AdmissionRequest, pod: Draft<Pod>, found: RuntimeClass): void {
  const selector: Record<string, string> = { ...pod.spec.nodeSelector };
  for (const [key, value] of Object.entries(found.scheduling?.nodeSelector ?? {})) {
    const asked = selector[key];
    if (asked !== undefined && asked !== value)
      throw refuse(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${asked}`,
      );
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) pod.spec.nodeSelector = selector;
  const tolerations = [...(pod.spec.tolerations ?? [])];
  for (const toleration of found.scheduling?.tolerations ?? []) {
    const text = JSON.stringify(toleration);
    if (!tolerations.some((one) => JSON.stringify(one) === text))
      tolerations.push({ ...toleration });
  }
  if (tolerations.length > 0) pod.spec.tolerations = tolerations;
}

/** A Pod that names no user must not become root because nobody looked. */
function setProcessUser(pod: Draft<Pod>): void {
  const context = (pod.spec.securityContext ??= {});
  if (context.runAsUser === undefined) {
    context.runAsUser = nobodyId;
    context.runAsGroup ??= nobodyId;
  }
  if (pod.spec.runtimeClassName === rootClass) return;
  for (const container of processContainers(pod)) {
    const own = (container.securityContext ??= {});
    own.allowPrivilegeEscalation ??= false;
  }
}

function processContainers(pod: Draft<Pod>): Draft<Pod>['spec']['containers'] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

function checkProcess(
  request: AdmissionRequest,
  pod: Draft<Pod>,
  about: { readonly authorizer: Authorizer; readonly name: string },
): void {
  const account = serviceAccountUser(request.namespace, {
    name: pod.spec.serviceAccountName ?? 'default',
  });
  const creators = request.user.name === controlPlaneName ? [] : [request.user];
  const users = [...creators, authenticated(account)];
  const may = (name: string): boolean =>
    users.some((user) => mayUse(about.authorizer, user, { name, namespace: request.namespace }));
  if (!may(about.name))
    throw refuse(
      request,
      `pod rejected: neither user ${JSON.stringify(request.user.name)} nor service account ${JSON.stringify(`${request.namespace}/${pod.spec.serviceAccountName ?? 'default'}`)} may "use" RuntimeClass "${about.name}": plain processes run on the host's own file system`,
    );
  const powers = rootPowers(pod);
  if (powers.length === 0) return;
  if (about.name !== rootClass || !may(rootClass))
    throw refuse(
      request,
      `pod rejected: ${powers.join(', ')} needs RuntimeClass "${rootClass}" and the right to "use" it`,
    );
}

/** What would make a plain process root, or as good as root. */
function rootPowers(pod: Draft<Pod>): readonly string[] {
  const powers: string[] = [];
  const context = pod.spec.securityContext ?? {};
  for (const group of [
    ...(context.supplementalGroups ?? []),
    ...(context.fsGroup === undefined ? [] : [context.fsGroup]),
  ])
    if (group < userGroupsFrom) powers.push(`group ${group}`);
  for (const container of processContainers(pod)) {
    const own = container.securityContext ?? {};
    const who = `container ${JSON.stringify(container.name)}`;
    const user = own.runAsUser ?? context.runAsUser;
    const group = own.runAsGroup ?? context.runAsGroup;
    if (user === 0) powers.push(`runAsUser 0 of ${who}`);
    if (group !== undefined && group < userGroupsFrom) powers.push(`runAsGroup ${group} of ${who}`);
    if (own.privileged === true) powers.push(`privileged of ${who}`);
    if (own.allowPrivilegeEscalation !== false) powers.push(`allowPrivilegeEscalation of ${who}`);
    if ((own.capabilities?.add ?? []).length > 0) powers.push(`added capabilities of ${who}`);
  }
  return powers;
}

/** Asked in the Pod's namespace: a RoleBinding there is enough, a ClusterRoleBinding is too. */
function mayUse(
  authorizer: Authorizer,
  user: UserInfo,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): boolean {
  const decision = authorizer.authorize({
    user,
    verb: 'use',
    isResource: true,
    group: 'node.k8s.io',
    version: 'v1',
    resource: 'runtimeclasses',
    subresource: '',
    namespace,
    name,
    path: '',
  });
  return decision.decision === 'allow';
}

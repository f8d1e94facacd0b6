import type { Attributes, Authorizer, Decision, Reader, UserInfo } from '#apiserver';
import { persistentVolumeClaims, pods, type Pod, type PodSpec, type Volume } from '#kube/kinds';
import type { KubeObject, ResourceName } from '#machinery';
import { includes, coversResource, resourceText } from './rules.ts';
import type { PolicyRule } from '#kube/kinds';

/** The name of the node that a user is, or undefined (pkg/auth/nodeidentifier). */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith('system:node:') || !user.groups.includes('system:nodes'))
    return undefined;
  return user.name.slice('system:node:'.length);
}

const allow: Decision = { decision: 'allow', reason: '' };
const silent: Decision = { decision: 'noOpinion', reason: '' };
const readVerbs = ['get', 'list', 'watch'];

/**
 * What a kubelet may do (plugin/pkg/auth/authorizer/node): the fixed rules of role system:node, and
 * of secrets, config maps, claims, volumes and service accounts only those its own Pods name.
 */
export interface NodeAuthorizer extends Authorizer, Disposable {
  /** Reads the Pods that are stored; changes from then on are followed. */
  load(): void;
}

export function createNodeAuthorizer(reader: Reader, rules: readonly PolicyRule[]): NodeAuthorizer {
  const graph = new NodeGraph(reader);
  const watch = reader.onChange(pods, ({ key, object }) => graph.setPod(key, object));
  return {
    name: 'Node',
    authorize: (attributes) => decide(attributes, graph, rules),
    load() {
      for (const pod of reader.list(pods))
        graph.setPod(`${pod.metadata.namespace}/${pod.metadata.name}`, pod);
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

function decide(attributes: Attributes, graph: NodeGraph, rules: readonly PolicyRule[]): Decision {
  const { user } = attributes;
  const node = nodeNameOf(user);
  if (node === undefined) return silent;
  if (node === '') return because(`unknown node for user ${JSON.stringify(user.name)}`);
  if (!attributes.isResource) return silent;
  switch (`${attributes.group}/${attributes.resource}`) {
    case '/secrets':
      return readOwn(attributes, node, { graph, kind: 'secret', verbs: readVerbs });
    case '/configmaps':
      return readOwn(attributes, node, { graph, kind: 'configmap', verbs: readVerbs });
    case '/persistentvolumeclaims':
      if (attributes.subresource === 'status')
        return readOwn(attributes, node, { graph, kind: 'pvc', verbs: ['update', 'patch'] });
      return readOwn(attributes, node, { graph, kind: 'pvc', verbs: ['get'] });
    case '/persistentvolumes':
      return readOwn(attributes, node, { graph, kind: 'pv', verbs: ['get'] });
    case '/serviceaccounts':
      if (attributes.subresource !== 'token' || attributes.verb !== 'create')
        return byRules(attributes, rules);
      return related(attributes, node, { graph, kind: 'serviceaccount' });
    case 'resource.k8s.io/resourceclaims':
      return readOwn(attributes, node, { graph, kind: 'resourceclaim', verbs: ['get'] });
    case 'storage.k8s.io/volumeattachments':
      return readOwn(attributes, node, { graph, kind: 'volumeattachment', verbs: ['get'] });
    case 'coordination.k8s.io/leases':
      return lease(attributes, node);
    case 'storage.k8s.io/csinodes':
      return ownNamed(attributes, node, 'CSINode');
    case '/nodes':
      return ownNode(attributes, node, rules);
    case '/pods':
      return ownPods(attributes, node, rules);
    case 'mesos.tandem.dev/tasks':
      return ownTasks(attributes, node, graph);
    default:
      return byRules(attributes, rules);
  }
}

interface Reading {
  readonly graph: NodeGraph;
  readonly kind: string;
  readonly verbs: readonly string[];
}

function readOwn(attributes: Attributes, node: string, reading: Reading): Decision {
  const { verb, name } = attributes;
  if (!reading.verbs.includes(verb)) {
    if (reading.verbs.length === 1)
      return because(`can only ${reading.verbs.join('')} individual resources of this type`);
    return because('can only read resources of this type');
  }
  if (attributes.subresource !== '' && reading.kind !== 'pvc')
    return because('cannot read subresource');
  if (name === '') return because('can only get individual resources of this type');
  const clusterWide = reading.kind === 'pv' || reading.kind === 'volumeattachment';
  if (attributes.namespace === '' && !clusterWide)
    return because('can only read namespaced object of this type');
  return related(attributes, node, reading);
}

function related(
  attributes: Attributes,
  node: string,
  what: Pick<Reading, 'graph' | 'kind'>,
): Decision {
  if (what.graph.reaches(node, what.kind, `${attributes.namespace}/${attributes.name}`))
    return allow;
  return because(`no relationship found between node '${node}' and this object`);
}

function lease(attributes: Attributes, node: string): Decision {
  const allowed = ['get', 'create', 'update', 'patch', 'delete'];
  if (!allowed.includes(attributes.verb) || attributes.subresource !== '')
    return because('can only get, create, update, patch, or delete a node lease');
  if (attributes.namespace !== 'kube-node-lease')
    return because('can only access leases in the "kube-node-lease" system namespace');
  if (attributes.verb !== 'create' && attributes.name !== node)
    return because('can only access node lease with the same name as the requesting node');
  return allow;
}

function ownNamed(attributes: Attributes, node: string, kind: string): Decision {
  const allowed = ['get', 'create', 'update', 'patch', 'delete'];
  if (!allowed.includes(attributes.verb))
    return because(`can only get, create, update, patch, or delete a ${kind}`);
  if (attributes.subresource !== '') return because(`cannot authorize ${kind} subresources`);
  if (attributes.verb !== 'create' && attributes.name !== node)
    return because(`can only access ${kind} with the same name as the requesting node`);
  return allow;
}

function ownNode(attributes: Attributes, node: string, rules: readonly PolicyRule[]): Decision {
  if (attributes.verb === 'get' && attributes.name !== node)
    return because(`node '${node}' cannot read '${attributes.name}', only its own Node object`);
  return byRules(attributes, rules);
}

/** Nodes see their own Pods: AuthorizeNodeWithSelectors of the reference. */
function ownPods(attributes: Attributes, node: string, rules: readonly PolicyRule[]): Decision {
  const { verb, subresource } = attributes;
  if (subresource === '' && (verb === 'list' || verb === 'watch')) {
    const own = asksOnlyFor(attributes, node);
    return own ? allow : because('can only list/watch pods with spec.nodeName field selector');
  }
  return byRules(attributes, rules);
}

/** Of Mesos' tasks a node sees its own: they carry environments. Their status has rules in RBAC. */
function ownTasks(attributes: Attributes, node: string, graph: NodeGraph): Decision {
  const { verb, subresource, namespace, name } = attributes;
  if (subresource !== '') return silent;
  if (verb === 'get')
    return graph.isTaskOf(node, { namespace, name })
      ? allow
      : because(`node '${node}' can only get tasks with spec.nodeName set to itself`);
  if ((verb === 'list' || verb === 'watch') && asksOnlyFor(attributes, node)) return allow;
  return because('can only list/watch tasks with spec.nodeName field selector');
}

function asksOnlyFor({ fieldSelector = [] }: Attributes, node: string): boolean {
  return fieldSelector.some(
    ({ field, operator, value }) => field === 'spec.nodeName' && operator === '=' && value === node,
  );
}

const taskResource: ResourceName<KubeObject & { readonly spec: { readonly nodeName: string } }> = {
  group: 'mesos.tandem.dev',
  version: 'v1',
  kind: 'Task',
  plural: 'tasks',
  namespaced: true,
};

function byRules(attributes: Attributes, rules: readonly PolicyRule[]): Decision {
  const wanted = resourceText(attributes);
  const fits = rules.some(
    (rule) =>
      includes(rule.verbs, attributes.verb) &&
      includes(rule.apiGroups ?? [], attributes.group) &&
      coversResource(rule.resources ?? [], wanted, attributes.subresource) &&
      (rule.resourceNames ?? []).length === 0,
  );
  return fits ? allow : silent;
}

function because(reason: string): Decision {
  return { decision: 'noOpinion', reason };
}

/** Which objects the Pods of each node refer to, counted so that Pods may come and go. */
class NodeGraph {
  readonly #reader: Reader;
  readonly #nodes = new Map<string, Map<string, number>>();
  readonly #pods = new Map<
    string,
    { readonly node: string; readonly references: readonly string[] }
  >();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  setPod(key: string, pod: Pod | undefined): void {
    const node = pod?.spec.nodeName ?? '';
    const earlier = this.#pods.get(key);
    if (earlier !== undefined && earlier.node === node && pod !== undefined) return;
    if (earlier !== undefined) {
      this.#count(earlier.node, earlier.references, -1);
      this.#pods.delete(key);
    }
    if (pod === undefined || node === '') return;
    const references = [...new Set(podReferences(pod))];
    this.#pods.set(key, { node, references });
    this.#count(node, references, 1);
  }

  #count(node: string, references: readonly string[], step: 1 | -1): void {
    let counts = this.#nodes.get(node);
    if (counts === undefined) this.#nodes.set(node, (counts = new Map()));
    for (const reference of references) {
      const count = (counts.get(reference) ?? 0) + step;
      if (count > 0) counts.set(reference, count);
      else counts.delete(reference);
    }
    if (counts.size === 0) this.#nodes.delete(node);
  }

  /** One that is gone is nobody's secret: the answer is that it is not found. */
  isTaskOf(
    node: string,
    { namespace, name }: { readonly namespace: string; readonly name: string },
  ): boolean {
    const task = this.#reader.get(taskResource, name, namespace);
    return task === undefined || task.spec.nodeName === node;
  }

  /** `key` is "namespace/name"; volumes are reached through the claims bound to them. */
  reaches(node: string, kind: string, key: string): boolean {
    const counts = this.#nodes.get(node);
    if (counts === undefined) return false;
    if (counts.has(`${kind} ${key}`)) return true;
    if (kind !== 'pv') return false;
    for (const reference of counts.keys()) {
      if (!reference.startsWith('pvc ')) continue;
      const [namespace = '', name = ''] = reference.slice(4).split('/');
      const claim = this.#reader.get(persistentVolumeClaims, name, namespace);
      if (claim?.spec.volumeName !== undefined && `/${claim.spec.volumeName}` === key) return true;
    }
    return false;
  }
}

function* podReferences(pod: Pod): Iterable<string> {
  const { namespace = '' } = pod.metadata;
  const { spec } = pod;
  const reference = (kind: string, name: string | undefined): string =>
    `${kind} ${namespace}/${name}`;
  if (spec.serviceAccountName !== undefined)
    yield reference('serviceaccount', spec.serviceAccountName);
  for (const secret of spec.imagePullSecrets ?? []) yield reference('secret', secret.name);
  for (const { kind, name } of environmentSources(spec)) yield reference(kind, name);
  for (const volume of spec.volumes ?? [])
    for (const { kind, name } of volumeSources(volume, pod.metadata.name))
      yield reference(kind, name);
  for (const claim of spec.resourceClaims ?? [])
    if (claim.resourceClaimName !== undefined)
      yield reference('resourceclaim', claim.resourceClaimName);
}

export interface ObjectUse {
  readonly kind: 'secret' | 'configmap' | 'pvc';
  readonly name: string | undefined;
}

/** Secrets and config maps that environment variables of any container come from. */
export function environmentSources(spec: PodSpec): readonly ObjectUse[] {
  const uses: ObjectUse[] = [];
  const containers = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const container of containers) {
    for (const source of container.envFrom ?? []) {
      if (source.secretRef !== undefined)
        uses.push({ kind: 'secret', name: source.secretRef.name });
      if (source.configMapRef !== undefined)
        uses.push({ kind: 'configmap', name: source.configMapRef.name });
    }
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.secretKeyRef !== undefined)
        uses.push({ kind: 'secret', name: valueFrom.secretKeyRef.name });
      if (valueFrom?.configMapKeyRef !== undefined)
        uses.push({ kind: 'configmap', name: valueFrom.configMapKeyRef.name });
    }
  }
  return uses;
}

/** Secrets, config maps and claims behind a volume (pkg/api/v1/pod VisitPodSecretNames). */
export function volumeSources(volume: Volume, podName: string): readonly ObjectUse[] {
  const secret = (name: string | undefined): ObjectUse => ({ kind: 'secret', name });
  const uses: ObjectUse[] = [];
  if (volume.secret !== undefined) uses.push(secret(volume.secret.secretName));
  if (volume.configMap !== undefined) uses.push({ kind: 'configmap', name: volume.configMap.name });
  for (const source of volume.projected?.sources ?? []) {
    if (source.secret !== undefined) uses.push(secret(source.secret.name));
    if (source.configMap !== undefined)
      uses.push({ kind: 'configmap', name: source.configMap.name });
  }
  if (volume.persistentVolumeClaim !== undefined)
    uses.push({ kind: 'pvc', name: volume.persistentVolumeClaim.claimName });
  if (volume.ephemeral !== undefined) uses.push({ kind: 'pvc', name: `${podName}-${volume.name}` });
  const referred = [
    volume.cephfs?.secretRef,
    volume.flexVolume?.secretRef,
    volume.iscsi?.secretRef,
    volume.rbd?.secretRef,
    volume.scaleIO?.secretRef,
    volume.storageos?.secretRef,
    volume.csi?.nodePublishSecretRef,
  ];
  for (const reference of referred) if (reference !== undefined) uses.push(secret(reference.name));
  if (volume.azureFile !== undefined) uses.push(secret(volume.azureFile.secretName));
  return uses;
}

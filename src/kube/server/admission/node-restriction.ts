import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import {
  nodes,
  pods,
  type Node,
  type Pod,
  type authenticationV1,
  type certificatesV1,
  type Lease,
} from '#kube/kinds';
import { readCsr } from '#io';
import { nodeNameOf, volumeSources } from '../authorizer/node.ts';
import { draftOf, isMirrorPod, refuse } from './about.ts';

/** What kubelets may write (plugin/pkg/admission/noderestriction): about themselves and their Pods. */
export function nodeRestriction(reader: Reader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      const node = nodeNameOf(request.user);
      if (node === undefined) return;
      const { kind, subresource } = request;
      switch (`${kind.group}/${kind.plural}/${subresource}`) {
        case '/pods/':
          return podWrite(request, node, reader);
        case '/pods/status':
          return podStatus(request, node);
        case '/pods/eviction':
          return eviction(request, node, reader);
        case '/pods/binding':
          throw refuse(request, `node "${node}" may not bind pods`);
        case '/nodes/':
        case '/nodes/status':
          return nodeWrite(request, node);
        case '/serviceaccounts/token':
          return token(request, node, reader);
        case 'coordination.k8s.io/leases/':
          return lease(request, node);
        case 'mesos.tandem.dev/tasks/status':
          return taskStatus(request, node);
        case 'certificates.k8s.io/certificatesigningrequests/':
          return signingRequest(request, node);
        default:
          return undefined;
      }
    },
  };
}

function podWrite(request: AdmissionRequest, node: string, reader: Reader): void {
  if (request.operation === 'DELETE') {
    const pod = reader.get(pods, request.name, request.namespace);
    if (pod !== undefined && pod.spec.nodeName !== node)
      throw refuse(request, `node "${node}" can only delete pods with spec.nodeName set to itself`);
    return;
  }
  if (request.operation !== 'CREATE')
    throw refuse(
      request,
      `unexpected operation "${request.operation}", node "${node}" can only create and delete mirror pods`,
    );
  const pod = draftOf<Pod>(request) as Pod;
  if (!isMirrorPod(pod))
    throw refuse(
      request,
      `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`,
    );
  if (pod.spec.nodeName !== node)
    throw refuse(request, `node "${node}" can only create pods with spec.nodeName set to itself`);
  mirrorOwner(request, node, { pod, reader });
  if ((pod.spec.serviceAccountName ?? '') !== '')
    throw refuse(request, `node "${node}" can not create pods that reference a service account`);
  const references = (pod.spec.volumes ?? []).flatMap((volume) =>
    volumeSources(volume, pod.metadata.name),
  );
  for (const [kind, text] of [
    ['secret', 'secrets'],
    ['configmap', 'configmaps'],
    ['pvc', 'persistentvolumeclaims'],
  ] as const)
    if (references.some((one) => one.kind === kind))
      throw refuse(request, `node "${node}" can not create pods that reference ${text}`);
}

function mirrorOwner(
  request: AdmissionRequest,
  node: string,
  about: { readonly pod: Pod; readonly reader: Reader },
): void {
  const owners = about.pod.metadata.ownerReferences ?? [];
  const [owner] = owners;
  if (owner === undefined)
    throw refuse(
      request,
      `node "${node}" can only create pods with an owner reference set to itself`,
    );
  if (owners.length > 1)
    throw refuse(
      request,
      `node "${node}" can only create pods with a single owner reference set to itself`,
    );
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw refuse(
      request,
      `node "${node}" can only create pods with an owner reference set to itself`,
    );
  if (owner.controller !== true)
    throw refuse(
      request,
      `node "${node}" can only create pods with a controller owner reference set to itself`,
    );
  if (owner.blockOwnerDeletion === true)
    throw refuse(request, `node "${node}" must not set blockOwnerDeletion on an owner reference`);
  if (about.reader.get(nodes, node)?.metadata.uid !== owner.uid)
    throw refuse(request, `node ${node} UID mismatch: expected ${owner.uid}`);
}

function podStatus(request: AdmissionRequest, node: string): void {
  const old = request.old as Pod | undefined;
  if (old?.spec.nodeName !== node)
    throw refuse(
      request,
      `node "${node}" can only update pod status for pods with spec.nodeName set to itself`,
    );
  const labels = JSON.stringify(sortedEntries(request.object?.metadata.labels));
  if (labels !== JSON.stringify(sortedEntries(old.metadata.labels)))
    throw refuse(request, `node "${node}" cannot update labels through pod status`);
}

/** An agent speaks for the tasks of its own machine. */
function taskStatus(request: AdmissionRequest, node: string): void {
  const old = request.old as { readonly spec?: { readonly nodeName?: string } } | undefined;
  if (old?.spec?.nodeName !== node)
    throw refuse(
      request,
      `node "${node}" can only update task status for tasks with spec.nodeName set to itself`,
    );
}

function eviction(request: AdmissionRequest, node: string, reader: Reader): void {
  const pod = reader.get(pods, request.name, request.namespace);
  if (pod !== undefined && pod.spec.nodeName !== node)
    throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
}

// Labels kubelets may set on themselves (k8s.io/kubelet/pkg/apis/well_known_labels.go).
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

function nodeWrite(request: AdmissionRequest, node: string): void {
  if (request.operation === 'DELETE') {
    if (request.name !== node)
      throw refuse(request, `node "${node}" is not allowed to delete node "${request.name}"`);
    return;
  }
  const own = draftOf<Node>(request);
  if (own.metadata.name !== node)
    throw refuse(request, `node "${node}" is not allowed to modify node "${own.metadata.name}"`);
  const old = request.old as Node | undefined;
  const changed = changedLabels(own.metadata.labels ?? {}, old?.metadata.labels ?? {}).filter(
    isForbiddenLabel,
  );
  if (request.operation === 'CREATE') {
    if (own.spec.configSource !== undefined)
      throw refuse(
        request,
        `node "${node}" is not allowed to create pods with a non-nil configSource`,
      );
    if (changed.length > 0)
      throw refuse(
        request,
        `node "${node}" is not allowed to set the following labels: ${changed.join(', ')}`,
      );
    return;
  }
  if (
    JSON.stringify(own.metadata.ownerReferences ?? []) !==
    JSON.stringify(old?.metadata.ownerReferences ?? [])
  )
    throw refuse(request, `node "${node}" is not allowed to modify ownerReferences`);
  if (JSON.stringify(own.spec.taints ?? []) !== JSON.stringify(old?.spec.taints ?? []))
    throw refuse(request, `node "${node}" is not allowed to modify taints`);
  if (changed.length > 0)
    throw refuse(request, `node "${node}" is not allowed to modify labels: ${changed.join(', ')}`);
}

function changedLabels(
  labels: Readonly<Record<string, string>>,
  old: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.keys({ ...labels, ...old })
    .filter((key) => labels[key] !== old[key])
    .toSorted();
}

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  const below = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
  if (below('node-restriction.kubernetes.io')) return true;
  if (!below('kubernetes.io') && !below('k8s.io')) return false;
  if (below('kubelet.kubernetes.io') || below('node.kubernetes.io')) return false;
  return !kubeletLabels.has(key);
}

function token(request: AdmissionRequest, node: string, reader: Reader): void {
  const asked = draftOf<authenticationV1.TokenRequest>(request);
  const bound = asked.spec.boundObjectRef;
  if (bound?.kind !== 'Pod' || (bound.name ?? '') === '')
    throw refuse(request, 'node requested token not bound to a pod');
  if ((bound.uid ?? '') === '')
    throw refuse(request, 'node requested token with a pod binding without a uid');
  const pod = reader.get(pods, bound.name ?? '', request.namespace);
  if (pod === undefined) throw refuse(request, `pod "${bound.name}" not found`);
  if (pod.metadata.uid !== bound.uid)
    throw refuse(
      request,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (pod.spec.nodeName !== node)
    throw refuse(request, 'node requested token bound to a pod scheduled on a different node');
}

function lease(request: AdmissionRequest, node: string): void {
  const name =
    request.operation === 'CREATE' ? draftOf<Lease>(request).metadata.name : request.name;
  if (name !== node)
    throw refuse(request, `can only access node lease with the same name as the requesting node`);
}

function signingRequest(request: AdmissionRequest, node: string): void {
  if (request.operation !== 'CREATE') return;
  const csr = draftOf<certificatesV1.CertificateSigningRequest>(request);
  const { signerName } = csr.spec;
  if (
    signerName !== 'kubernetes.io/kubelet-serving' &&
    signerName !== 'kubernetes.io/kube-apiserver-client-kubelet'
  )
    return;
  const { subject } = readCsr(Buffer.from(csr.spec.request, 'base64').toString('utf8'));
  if (subject.commonName !== `system:node:${node}`)
    throw refuse(request, `can only create a node CSR with CN=system:node:${node}`);
}

function sortedEntries(map: Readonly<Record<string, string>> | undefined): readonly unknown[] {
  return Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

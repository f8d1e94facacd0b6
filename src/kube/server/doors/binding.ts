import type { Door, DoorRequest } from '#apiserver';
import type { FaceReply } from '#base';
import type { Binding as BindingObject } from '#kube/kinds';
import {
  type Draft,
  type KubeObject,
  StatusError,
  badRequest,
  conflict,
  successStatus,
} from '#machinery';
import type { BindResult, PodLedger } from '../pod-ledger.ts';
import { statusReply } from './replies.ts';

const bindingType = 'k8s.io.api.core.v1.Binding';

/** `POST pods/<name>/binding` and `POST bindings`: the same commit as `bindMany`, of one. */
export function bindingDoors(ledger: PodLedger): readonly Door[] {
  const handle = (request: DoorRequest): Promise<FaceReply> => bind(request, ledger);
  return [
    { group: '', resource: 'pods', subresource: 'binding', handle },
    { group: '', resource: 'bindings', subresource: '', handle },
  ];
}

async function bind(door: DoorRequest, ledger: PodLedger): Promise<FaceReply> {
  const binding = (await door.body(bindingType)) as unknown as Draft<BindingObject>;
  const { namespace, name } = door.attributes;
  const podName = door.attributes.subresource === '' ? (binding.metadata.name ?? '') : name;
  if ((binding.metadata.name ?? '') !== '' && binding.metadata.name !== podName)
    throw badRequest('name in URL does not match name in Binding object');
  binding.metadata.name = podName;
  binding.metadata.namespace = namespace;
  await door.admit('CREATE', binding as unknown as Draft<KubeObject>);
  const problems: string[] = [];
  const kind = binding.target.kind ?? '';
  if (kind !== '' && kind !== 'Node')
    problems.push(
      `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`,
    );
  if ((binding.target.name ?? '') === '') problems.push('target.name: Required value');
  if (problems.length > 0)
    throw new StatusError(
      '',
      problems.length === 1 ? problems.join('') : `[${problems.join(', ')}]`,
    );
  if (door.query.get('dryRun') === 'All') return statusReply(201, successStatus());
  const { uid, resourceVersion, annotations, labels } = binding.metadata;
  const [result] = await ledger.bindMany([
    {
      namespace,
      name: podName,
      node: binding.target.name ?? '',
      uid: uid === '' ? undefined : uid,
      resourceVersion: resourceVersion === '' ? undefined : resourceVersion,
      annotations,
      labels,
    },
  ]);
  if (result?.ok === true) return statusReply(201, successStatus());
  throw bindError(result, podName);
}

function bindError(result: BindResult | undefined, podName: string): StatusError {
  if (result !== undefined && 'error' in result) return result.error;
  const text = result !== undefined && 'verdict' in result ? result.verdict.message : 'not decided';
  return conflict({ group: '', plural: 'pods/binding' }, podName, text);
}

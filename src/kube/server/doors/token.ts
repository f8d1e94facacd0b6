import type { Clock, FaceReply, Random } from '#base';
import { formatTime } from '#base';
import type { Door, DoorRequest, PrivateClaims, Reader, TokenSigner } from '#apiserver';
import { serviceAccountUserName } from '#apiserver';
import {
  nodes,
  pods,
  secrets,
  serviceAccounts,
  type ServiceAccount,
  type authenticationV1,
} from '#kube/kinds';
import {
  type Draft,
  type KubeObject,
  StatusError,
  badRequest,
  conflict,
  invalid,
  notFound,
  problem,
} from '#machinery';
import { projectedTokenSeconds } from '../admission/service-account.ts';

const tokenRequestType = 'k8s.io.api.authentication.v1.TokenRequest';
const yearSeconds = 365 * 24 * 3600;
const defaultSeconds = 3600;

export interface TokenParts {
  readonly reader: Reader;
  readonly signer: TokenSigner;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}
type TokenRequest = Draft<authenticationV1.TokenRequest>;

/** `POST serviceaccounts/<name>/token`: signs a token, bound to an object when asked. */
export function tokenDoor(parts: TokenParts): Door {
  return {
    group: '',
    resource: 'serviceaccounts',
    subresource: 'token',
    handle: (door) => issue(door, parts),
  };
}

async function issue(door: DoorRequest, parts: TokenParts): Promise<FaceReply> {
  const { name, namespace } = door.attributes;
  const request = (await door.body(tokenRequestType)) as unknown as TokenRequest;
  const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  for (const [field, wanted, what] of [
    ['name', name, 'name'],
    ['namespace', namespace, 'namespace'],
  ] as const) {
    const given = request.metadata[field] ?? '';
    if (given !== '' && given !== wanted)
      throw invalid(kind, name, [
        problem.invalid(
          `metadata.${field}`,
          given,
          `must match the service account ${what} if specified`,
        ),
      ]);
  }
  const account = parts.reader.get(serviceAccounts, name, namespace);
  if (account === undefined) throw notFound(serviceAccounts, name);
  const uid = request.metadata.uid ?? '';
  if (uid !== '' && uid !== account.metadata.uid)
    throw conflict(
      serviceAccounts,
      name,
      `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`,
    );
  const seconds = request.spec.expirationSeconds ?? defaultSeconds;
  checkSeconds(kind, name, seconds);
  request.metadata.name = name;
  request.metadata.namespace = namespace;
  request.metadata.uid = account.metadata.uid;
  request.spec.expirationSeconds = seconds;
  if ((request.spec.audiences ?? []).length === 0) request.spec.audiences = [...parts.audiences];
  await door.admit('CREATE', request as unknown as Draft<KubeObject>);
  sign(request, account, parts);
  return door.reply(201, request as unknown as KubeObject);
}

function checkSeconds(kind: { group: string; kind: string }, name: string, seconds: number): void {
  const path = 'spec.expirationSeconds';
  if (seconds < 600)
    throw invalid(kind, name, [
      problem.invalid(path, seconds, 'may not specify a duration less than 10 minutes'),
    ]);
  if (seconds > 2 ** 32)
    throw invalid(kind, name, [
      problem.invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds'),
    ]);
}

function sign(request: TokenRequest, account: ServiceAccount, parts: TokenParts): void {
  const { name, namespace = '', uid } = account.metadata;
  const nowSeconds = Math.floor(parts.clock.nowMs() / 1000);
  const asked = request.spec.expirationSeconds ?? defaultSeconds;
  const bound = boundClaims(request, account, parts.reader);
  // Clients too old to read their token anew get a year, and are told to after the short life.
  const extended = asked === projectedTokenSeconds && bound.pod !== undefined;
  const lifeSeconds = extended ? yearSeconds : asked;
  request.status = {
    token: parts.signer.sign({
      aud: request.spec.audiences ?? [],
      exp: nowSeconds + lifeSeconds,
      iat: nowSeconds,
      iss: parts.issuer,
      jti: parts.random.uuid(),
      'kubernetes.io': {
        namespace,
        ...bound,
        serviceaccount: { name, uid },
        ...(extended ? { warnafter: nowSeconds + asked } : {}),
      },
      nbf: nowSeconds,
      sub: serviceAccountUserName(namespace, name),
    }),
    expirationTimestamp: formatTime((nowSeconds + asked) * 1000),
  };
  request.metadata.creationTimestamp = formatTime(nowSeconds * 1000);
}

function boundClaims(
  request: TokenRequest,
  account: ServiceAccount,
  reader: Reader,
): Pick<PrivateClaims, 'pod' | 'secret' | 'node'> {
  const bound = request.spec.boundObjectRef ?? undefined;
  if (bound === undefined) return {};
  const { kind, apiVersion = 'v1', name = '', uid } = bound;
  const { namespace = '' } = account.metadata;
  const checked = (object: KubeObject): { name: string; uid: string } => {
    if (uid !== undefined && uid !== '' && uid !== object.metadata.uid)
      throw conflict(
        { group: '', plural: `${(kind ?? '').toLowerCase()}s` },
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    return { name: object.metadata.name, uid: object.metadata.uid };
  };
  if (apiVersion === 'v1' && kind === 'Pod') {
    const pod = reader.get(pods, name, namespace);
    if (pod === undefined) throw notFound(pods, name);
    if (pod.spec.serviceAccountName !== account.metadata.name)
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
      );
    const node = reader.get(nodes, pod.spec.nodeName ?? '');
    return {
      ...(node === undefined ? {} : { node: { name: node.metadata.name, uid: node.metadata.uid } }),
      pod: checked(pod),
    };
  }
  if (apiVersion === 'v1' && kind === 'Secret') {
    const secret = reader.get(secrets, name, namespace);
    if (secret === undefined) throw notFound(secrets, name);
    return { secret: checked(secret) };
  }
  if (apiVersion === 'v1' && kind === 'Node') {
    const node = reader.get(nodes, name);
    if (node === undefined) throw notFound(nodes, name);
    return { node: checked(node) };
  }
  throw new StatusError(
    'BadRequest',
    `cannot bind token to object of type ${apiVersion}, Kind=${kind}`,
  );
}

import type { Clock, Face, Logger, Random } from '#base';
import {
  type ApiServer,
  type ApiServerOptions,
  type Authorizer,
  type Door,
  type HealthCheck,
  type Reader,
  type TokenObjects,
  type TokenVerifier,
  type UserInfo,
  type VersionInfo,
  anonymousAuthenticator,
  bearerAuthenticator,
  bootstrapTokenVerifier,
  certificateAuthenticator,
  createApiServer,
  createTokenSigner,
  openIdPaths,
  serviceAccountVerifier,
  staticTokenVerifier,
} from '#apiserver';
import { type BackendClient, type PemPair, createBackendClient, signCsr } from '#io';
import { nodes, pods, secrets, serviceAccounts } from '#kube/kinds';
import type { Api, KubeObject, ResourceName, Scheme, SystemWriter } from '#machinery';
import type { Pool } from '#pool';
import { admissionPlugins } from './admission/index.ts';
import { RoleAggregation } from './aggregation.ts';
import { createNodeAuthorizer } from './authorizer/node.ts';
import { createRbac, superuserAuthorizer } from './authorizer/rbac.ts';
import { unionAuthorizer } from './authorizer/union.ts';
import type { ClusterFacts } from './bootstrap/objects.ts';
import { bootstrapRbac } from './bootstrap/rbac.ts';
import { bootstrap } from './bootstrap/reconcile.ts';
import { CsrSigner } from './csr-signer.ts';
import { bindingDoors } from './doors/binding.ts';
import { componentStatusDoor } from './doors/component-status.ts';
import { evictionDoor } from './doors/eviction.ts';
import { kubeletDoors } from './doors/kubelet.ts';
import { proxyDoors } from './doors/proxy.ts';
import { passwordVerifier } from './passwords.ts';
import { reviewDoors } from './doors/reviews.ts';
import { tokenDoor } from './doors/token.ts';
import { writeDoors } from './doors/writes.ts';
import { lateReader } from './late-reader.ts';
import type { Growth, Launch, LaunchResult } from './launcher.ts';
import { type BindResult, type Binding, PodLedger } from './pod-ledger.ts';
import { ServiceAllocation } from './service/allocation.ts';

/** Everything the Kubernetes API of one cluster is made of. */
export interface KubeServerOptions extends ClusterFacts {
  readonly store: ApiServerOptions['store'];
  /** The account of machines; its claims follow Pods from `start()` on. Nobody else sets its nodes. */
  readonly pool: Pool;
  /** All kinds that are served, with their codec. */
  readonly scheme: Scheme;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: VersionInfo;
  /** From `ensurePki()`. */
  readonly pki: {
    readonly authority: PemPair;
    readonly kubeletClient: PemPair;
    readonly serviceAccountKeyPem: string;
  };
  /** `https://kubernetes.default.svc.cluster.local`: issuer and audience of service account tokens. */
  readonly issuer: string;
  /** A token for user `kubernetes-admin` of system:masters, for set-ups without certificates. */
  readonly adminToken?: string | undefined;
  /** How kubelets, Pods and Services are reached; default: HTTP over this machine's network. */
  readonly backend?: BackendClient | undefined;
  readonly describe?: (type: string, field: string) => string | undefined;
  /** `host:port` that `/api` names to clients. */
  readonly publicAddress?: string | undefined;
  /** Subresources of further kinds that are calls. */
  readonly doors?: readonly Door[];
  readonly healthChecks?: readonly HealthCheck[];
  /** Called once when the store is broken for good. */
  readonly onStoreFailed?: (error: Error) => void;
}

export interface KubeServer extends AsyncDisposable, SystemWriter {
  readonly apiServer: ApiServer;
  /** The whole API, to be put on a TLS listener that asks for client certificates. */
  readonly face: Face;
  readonly reader: Reader;
  /** The API in process, as that user. */
  apiFor(user: UserInfo): Api;
  /** RBAC, nodes and superusers together, for the other faces. */
  readonly authorizer: Authorizer;
  readonly tokenVerifiers: readonly TokenVerifier[];
  /** Binds many Pods with one commit of the pool and one of the store. */
  bindMany(bindings: readonly Binding[]): Promise<readonly BindResult[]>;
  /** Pods that come with their node, and objects beside them: room and objects in one step. */
  launch(launches: readonly Launch[]): Promise<readonly LaunchResult[]>;
  /** More containers, amounts or ports for Pods that run, in the same way. */
  grow(growths: readonly Growth[]): Promise<readonly LaunchResult[]>;
  /** Recomputes the pool's account and the Services' addresses; throws at the first difference. */
  check(): void;
  /** Loads the store, rebuilds the account, brings the bootstrap objects; then the face may be served. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The user that Tandem itself is, in process. */
export const systemUser: UserInfo = {
  name: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
};

export function createKubeServer(options: KubeServerOptions): KubeServer {
  const parts = partsOf(options);
  const { apiServer, backend, rbac, nodeAuthorizer, allocation, ledger } = parts;
  const { aggregation, csrSigner, authorizer, tokenVerifiers } = parts;
  const stop = async (): Promise<void> => {
    await apiServer.stop();
    for (const part of [csrSigner, aggregation, ledger, allocation, nodeAuthorizer, rbac])
      part[Symbol.dispose]();
    if (options.backend === undefined) await backend[Symbol.asyncDispose]();
  };
  return {
    apiServer,
    face: apiServer.face,
    reader: apiServer.reader,
    apiFor: (user) => apiServer.apiFor(user),
    authorizer,
    tokenVerifiers,
    bindMany: (bindings) => ledger.bindMany(bindings),
    launch: (launches) => ledger.launch(launches),
    grow: (growths) => ledger.grow(growths),
    writeMany: (groups) => apiServer.writeMany(groups),
    check() {
      ledger.check();
      allocation.check();
    },
    async start() {
      await apiServer.start();
      // No turn of the event loop lies between: nothing is served before the account is whole.
      rbac.load();
      nodeAuthorizer.load();
      allocation.rebuild();
      ledger.rebuild();
      const { reader } = apiServer;
      await bootstrap({
        api: apiServer.apiFor(systemUser),
        reader,
        logger: options.logger,
        facts: options,
      });
      await aggregation.start();
      csrSigner.start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function authorizersOf(reader: Reader) {
  const rbac = createRbac(reader);
  const nodeRole = bootstrapRbac().clusterRoles.find(
    (role) => role.metadata.name === 'system:node',
  );
  const nodeAuthorizer = createNodeAuthorizer(reader, nodeRole?.rules ?? []);
  return {
    rbac,
    nodeAuthorizer,
    authorizer: unionAuthorizer([superuserAuthorizer, nodeAuthorizer, rbac]),
  };
}

/** Everything in the order in which one needs the other; nothing runs yet. */
function partsOf(options: KubeServerOptions) {
  const { clock, random, logger, scheme, pool, issuer } = options;
  const reader = lateReader();
  const audiences = [issuer];
  const signer = createTokenSigner(options.pki.serviceAccountKeyPem);
  const tokenVerifiers = verifiersOf(options, reader, signer);
  const { rbac, nodeAuthorizer, authorizer } = authorizersOf(reader);
  const allocation = new ServiceAllocation(reader, options);
  const backend = options.backend ?? defaultBackend(options);
  // Doors write through the server they are part of, which exists a moment later.
  let running: ApiServer | undefined;
  const server: Pick<ApiServer, 'updateMany' | 'writeMany' | 'prepareCreate'> = {
    updateMany: (updates) => serverOf(running).updateMany(updates),
    writeMany: (groups) => serverOf(running).writeMany(groups),
    prepareCreate: (object) => serverOf(running).prepareCreate(object),
  };
  const api = lateApi(() => serverOf(running).apiFor(systemUser));
  const ledger = new PodLedger({ pool, reader, server, clock, logger });
  ledger.open();
  const apiServer = createApiServer({
    ...options,
    codec: scheme.codec,
    authenticators: [
      certificateAuthenticator(),
      bearerAuthenticator(tokenVerifiers, audiences),
      anonymousAuthenticator(),
    ],
    // One authorizer, so that every reason that was given reaches the client.
    authorizers: [authorizer],
    admission: admissionPlugins({ reader, authorizer, rbac, allocation, scheme, clock, random }),
    doors: [
      ...(options.doors ?? []),
      ...bindingDoors(ledger),
      componentStatusDoor(),
      evictionDoor({ reader, server, api, clock }),
      tokenDoor({ reader, signer, issuer, audiences, clock, random }),
      ...kubeletDoors({ reader, backend, authorizer }),
      ...proxyDoors({ reader, backend, authorizer, random }),
      ...writeDoors({ reader, server, api, clock }),
      ...reviewDoors({
        authorizer,
        rbac,
        verifiers: [...tokenVerifiers, passwordVerifier(reader)],
        audiences,
        clock,
      }),
    ],
    paths: openIdPaths({ signer, issuer }),
    publicAddress:
      options.publicAddress ?? `${options.advertise.address}:${options.advertise.port}`,
  });
  running = apiServer;
  reader.bind(apiServer.reader);
  const aggregation = new RoleAggregation(reader, server, logger);
  const sign = signerOf(options);
  const csrSigner = new CsrSigner({ reader, server, clock, logger, sign });
  return {
    apiServer,
    backend,
    rbac,
    nodeAuthorizer,
    authorizer,
    tokenVerifiers,
    allocation,
    ledger,
    aggregation,
    csrSigner,
  };
}

function serverOf(server: ApiServer | undefined): ApiServer {
  if (server === undefined) throw new Error('Cannot reach the API server: it is not made yet');
  return server;
}

function lateApi(find: () => Api): Api {
  return {
    get: (resource, target) => find().get(resource, target),
    list: (resource, options) => find().list(resource, options),
    watch: (resource, options) => find().watch(resource, options),
    create: (resource, object, options) => find().create(resource, object, options),
    update: (resource, object, options) => find().update(resource, object, options),
    patch: (resource, target, patch) => find().patch(resource, target, patch),
    delete: (resource, target, options) => find().delete(resource, target, options),
    post: (resource, target, body) => find().post(resource, target, body),
  };
}

function defaultBackend(options: KubeServerOptions): BackendClient {
  return createBackendClient({
    authorityPem: options.pki.authority.certificatePem,
    ...options.pki.kubeletClient,
  });
}

const dayMs = 86_400_000;

function signerOf(options: KubeServerOptions): ConstructorParameters<typeof CsrSigner>[0]['sign'] {
  return (csrPem, { usages, days }) => {
    const nowMs = options.clock.nowMs();
    // Begins a little in the past: machines' clocks differ.
    const lifetime = { notBeforeMs: nowMs - 300_000, notAfterMs: nowMs + days * dayMs };
    return signCsr(options.pki.authority, csrPem, { usages, ...lifetime });
  };
}

function verifiersOf(
  options: KubeServerOptions,
  reader: Reader,
  signer: ReturnType<typeof createTokenSigner>,
): readonly TokenVerifier[] {
  const { clock, issuer, adminToken } = options;
  const admin = { name: 'kubernetes-admin', groups: ['system:masters'] };
  return [
    ...(adminToken === undefined ? [] : [staticTokenVerifier(adminToken, admin)]),
    serviceAccountVerifier({ signer, issuer, clock, objects: tokenObjects(reader) }),
    bootstrapTokenVerifier((id) => bootstrapToken(reader, id), clock),
  ];
}

function tokenObjects(reader: Reader): TokenObjects {
  const resources: Readonly<Record<string, ResourceName>> = {
    ServiceAccount: serviceAccounts,
    Pod: pods,
    Secret: secrets,
    Node: nodes,
  };
  return {
    find(kind, name, namespace) {
      const resource = resources[kind];
      const object: KubeObject | undefined =
        resource === undefined ? undefined : reader.get(resource, name, namespace);
      if (object === undefined) return undefined;
      const { uid, deletionTimestamp } = object.metadata;
      return {
        uid,
        deletedMs: deletionTimestamp === undefined ? undefined : Date.parse(deletionTimestamp),
      };
    },
  };
}

function bootstrapToken(
  reader: Reader,
  id: string,
): ReturnType<Parameters<typeof bootstrapTokenVerifier>[0]> {
  const secret = reader.get(secrets, `bootstrap-token-${id}`, 'kube-system');
  if (secret?.type !== 'bootstrap.kubernetes.io/token') return undefined;
  if (secret.metadata.deletionTimestamp !== undefined) return undefined;
  const value = (key: string): string =>
    Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  const expiration = value('expiration');
  const groups = value('auth-extra-groups')
    .split(',')
    .filter((group) => group.startsWith('system:bootstrappers:'));
  return {
    id: value('token-id'),
    secret: value('token-secret'),
    expiresMs: expiration === '' ? undefined : Date.parse(expiration),
    usableForAuthentication: value('usage-bootstrap-authentication') === 'true',
    groups,
  };
}

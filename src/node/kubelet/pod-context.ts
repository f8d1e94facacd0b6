import type { Node, Pod, Service } from '#kube/kinds';
import type { Sandbox } from '#node/runtime';
import type { DnsSettings } from './dns.ts';
import type { EnvSources } from './env.ts';
import type { NodeFacts } from './field-ref.ts';
import { dockerConfigOf } from './images.ts';
import type { ImageManager } from './images.ts';
import type { Pressure } from './node-object.ts';
import type { KubeletOptions } from './options.ts';
import type { ProbeTools } from './probe-run.ts';
import type { References } from './references.ts';
import type { Amounts } from './resize.ts';
import { serviceAccounts } from './resources.ts';
import type { StatusWriter } from './status-writer.ts';
import type { PayloadSources, Token } from './volume-payload.ts';
import type { VolumeOptions } from './volumes.ts';

/** What the machine offers to keep containers apart. */
export interface HostFeatures {
  /** Names of the profiles that are loaded; undefined without AppArmor. */
  readonly apparmorProfiles: readonly string[] | undefined;
  readonly selinux: boolean;
  /** The kernel makes whole trees of mounts read-only (5.12). */
  readonly recursiveReadOnly: boolean;
  /** Where Localhost profiles lie. */
  readonly seccompDir: string;
}

/** What all Pod workers of a node share. */
export interface PodContext {
  readonly options: KubeletOptions;
  readonly images: ImageManager;
  readonly references: References;
  readonly status: StatusWriter;
  readonly tools: ProbeTools;
  readonly startedMs: number;
  readonly host: NodeFacts & { readonly dns: DnsSettings } & HostFeatures;
  readonly volumes: VolumeOptions;
  services(): readonly Service[];
  node(): Node | undefined;
  /** What all Pods of the node but this one were given. */
  requestsBut(uid: string): Amounts;
  /** Handler of a RuntimeClass; '' for none. Throws when there is no such class. */
  runtimeHandler(name: string | undefined): Promise<string>;
  /** Conditions that refuse new Pods of the class BestEffort, and all new ones. */
  pressure(): Pressure;
}

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** Where the volumes of one Pod get their content. */
export function payloadSources(context: PodContext, pod: Pod, podIp: string): PayloadSources {
  const { uid, name, namespace = '' } = pod.metadata;
  const { references, options } = context;
  return {
    configMap: (wanted) => references.configMap({ podUid: uid, namespace, name: wanted }),
    secret: (wanted) => references.secret({ podUid: uid, namespace, name: wanted }),
    async requestToken({ audience, expirationSeconds }): Promise<Token> {
      const account = pod.spec.serviceAccountName ?? 'default';
      const answer = await options.api.post<TokenAnswer>(
        serviceAccounts,
        { name: account, namespace, subresource: 'token' },
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: {
            audiences: audience === '' ? [] : [audience],
            expirationSeconds,
            boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
          },
        },
      );
      return {
        token: answer.status.token,
        expiresAtMs: Date.parse(answer.status.expirationTimestamp),
      };
    },
    podIp,
    node: context.host,
    nowMs: options.clock.nowMs(),
  };
}

export function envSources(
  context: PodContext,
  pod: Pod,
  about: { readonly podIp: string; readonly invalid: EnvSources['invalid'] },
): EnvSources {
  const { uid, namespace = '' } = pod.metadata;
  const { references } = context;
  return {
    configMap: (name) => references.configMap({ podUid: uid, namespace, name }),
    secret: (name) => references.secret({ podUid: uid, namespace, name }),
    services: context.services(),
    podIp: about.podIp,
    node: context.host,
    invalid: about.invalid,
  };
}

export async function pullSecrets(context: PodContext, pod: Pod): Promise<readonly unknown[]> {
  const { uid, namespace = '' } = pod.metadata;
  const found = await Promise.all(
    (pod.spec.imagePullSecrets ?? []).map(({ name = '' }) =>
      context.references.secret({ podUid: uid, namespace, name }),
    ),
  );
  return found.flatMap((secret) => {
    const config = secret === undefined ? undefined : dockerConfigOf(secret);
    return config === undefined ? [] : [config];
  });
}

/** A Pod on the host's network has the node's address. */
export function addressOf(context: PodContext, pod: Pod, sandbox: Sandbox | undefined): string {
  if (pod.spec.hostNetwork === true) return sandbox === undefined ? '' : context.options.nodeIp;
  return sandbox?.ip ?? '';
}

/** Where the logs of a Pod's containers are. */
export function logDir(context: PodContext, pod: Pod): string {
  const { name, namespace, uid } = pod.metadata;
  return `${context.options.dirs.logs}/${namespace}_${name}_${uid}`;
}

export function podLabel(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

import type { Clock, Random } from '#base';
import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import { serviceAccounts, type Pod, type ServiceAccount } from '#kube/kinds';
import type { Draft } from '#machinery';
import { environmentSources, volumeSources } from '../authorizer/node.ts';
import { isMirrorPod, newPod, refuse } from './about.ts';

export const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Tokens of this life are bound to their Pod and live on while clients learn to read them anew. */
export const projectedTokenSeconds = 3607;
const defaultName = 'default';
const waitTries = 10;
const waitMs = 100;

/** Every Pod runs as a service account and finds its token in a file. */
export function serviceAccount(
  reader: Reader,
  ports: { clock: Clock; random: Random },
): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    async mutate(request) {
      const pod = newPod(request);
      if (pod === undefined || isMirrorPod(pod)) return;
      const name =
        (pod.spec.serviceAccountName ?? '') === '' ? defaultName : pod.spec.serviceAccountName;
      pod.spec.serviceAccountName = name ?? defaultName;
      pod.spec.serviceAccount = name ?? defaultName;
      const account = await find(request, reader, {
        clock: ports.clock,
        name: name ?? defaultName,
      });
      if (account === undefined)
        throw refuse(
          request,
          `error looking up service account ${request.namespace}/${name}: serviceaccount "${name}" not found`,
        );
      if (account.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] === 'true')
        checkMountable(request, pod, account);
      if (mountsToken(pod, account)) mountToken(pod, ports.random);
      if (
        (pod.spec.imagePullSecrets ?? []).length === 0 &&
        (account.imagePullSecrets ?? []).length > 0
      )
        pod.spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((one) => ({ ...one }));
    },
    validate(request) {
      const pod = newPod(request);
      if (pod === undefined || !isMirrorPod(pod)) return;
      if ((pod.spec.serviceAccountName ?? '') !== '')
        throw refuse(request, 'a mirror pod may not reference service accounts');
      const uses = [...environmentSources(pod.spec as Pod['spec'])].some(
        (one) => one.kind === 'secret',
      );
      if (uses) throw refuse(request, 'a mirror pod may not reference secrets');
      const projected = (pod.spec.volumes ?? []).some((volume) =>
        (volume.projected?.sources ?? []).some(
          (source) => source.serviceAccountToken !== undefined,
        ),
      );
      if (projected)
        throw refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections');
    },
  };
}

/** The default account of a new namespace is made by a controller: it is waited for a moment. */
async function find(
  request: AdmissionRequest,
  reader: Reader,
  wanted: { readonly clock: Clock; readonly name: string },
): Promise<ServiceAccount | undefined> {
  const tries = wanted.name === defaultName ? waitTries : 1;
  for (let turn = 0; turn < tries; turn++) {
    const found = reader.get(serviceAccounts, wanted.name, request.namespace);
    if (found !== undefined) return found;
    if (turn + 1 < tries) await wanted.clock.sleep(waitMs);
  }
  return undefined;
}

function mountsToken(pod: Draft<Pod>, account: ServiceAccount): boolean {
  return pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

function mountToken(pod: Draft<Pod>, random: Random): void {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const existing = (pod.spec.volumes ?? []).find((volume) =>
    volume.name.startsWith('kube-api-access-'),
  );
  const volumeName = existing?.name ?? `kube-api-access-${randomSuffix(random)}`;
  let used = false;
  for (const container of containers) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((mount) => mount.mountPath === tokenMountPath)) continue;
    used = true;
    container.volumeMounts = [
      ...mounts,
      { name: volumeName, readOnly: true, mountPath: tokenMountPath },
    ];
  }
  if (!used || existing !== undefined) return;
  pod.spec.volumes = [
    ...(pod.spec.volumes ?? []),
    {
      name: volumeName,
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: projectedTokenSeconds, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [
                {
                  path: 'namespace',
                  fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
                },
              ],
            },
          },
        ],
        defaultMode: 0o644,
      },
    },
  ];
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

function randomSuffix(random: Random): string {
  return Array.from({ length: 5 }, () => suffixLetters[random.below(suffixLetters.length)]).join(
    '',
  );
}

function checkMountable(request: AdmissionRequest, pod: Draft<Pod>, account: ServiceAccount): void {
  const allowed = new Set((account.secrets ?? []).map((one) => one.name));
  const refusal = (what: string, secret: string | undefined): Error =>
    refuse(
      request,
      `${what} with secret.secretName="${secret}" is not allowed because service account ${account.metadata.name} does not reference that secret`,
    );
  for (const volume of pod.spec.volumes ?? [])
    for (const use of volumeSources(volume, pod.metadata.name))
      if (use.kind === 'secret' && !allowed.has(use.name))
        throw refusal(`volume ${volume.name}`, use.name);
  for (const use of environmentSources(pod.spec as Pod['spec']))
    if (use.kind === 'secret' && !allowed.has(use.name)) throw refusal('environment', use.name);
  const pulls = new Set((account.imagePullSecrets ?? []).map((one) => one.name));
  for (const secret of pod.spec.imagePullSecrets ?? [])
    if (!pulls.has(secret.name))
      throw refuse(
        request,
        `imagePullSecrets "${secret.name}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`,
      );
}

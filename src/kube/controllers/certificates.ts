import { seconds } from '#client';
import { certificateSigningRequests as csrKind, type certificatesV1 } from '#kube/kinds';
import type { KubeObject } from '#machinery';
import { createLoop, type ControllerContext, type Runnable } from './context.ts';

type Csr = certificatesV1.CertificateSigningRequest & KubeObject;

/** What the controllers need of a certificate authority; the keys stay with whoever made these. */
export interface CertificateAuthority {
  /** Subject and names of a request; throws when it is not sound. */
  read(csrPem: string): {
    readonly subject: { readonly commonName: string; readonly organizations: readonly string[] };
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
  };
  sign(
    csrPem: string,
    options: { readonly usages: readonly string[]; readonly lifetimeSeconds: number },
  ): Promise<string>;
}

const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
const servingSigner = 'kubernetes.io/kubelet-serving';
const clientUsages = ['digital signature', 'key encipherment', 'client auth'];
const servingUsages = ['digital signature', 'key encipherment', 'server auth'];
const lifetimeSecondsDefault = 365 * 86_400;

/**
 * Approves and signs the certificates of node agents: the first client certificate for whoever
 * joins with a bootstrap token, renewals and serving certificates for the node itself.
 */
export function certificateController(
  context: ControllerContext,
  authority: CertificateAuthority,
): Runnable {
  const requests = context.informers.of<Csr>(csrKind);
  return createLoop(context, {
    name: 'certificatesigningrequest-controller',
    workers: 2,
    needs: [requests],
    setup: (queue) => {
      requests.onChange(({ key, object }) => {
        if (object !== undefined && !object.status?.certificate) queue.add(key);
      });
    },
    reconcile: async (name) => {
      const request = requests.get(name);
      if (request === undefined || request.status?.certificate) return undefined;
      const has = (type: string): boolean =>
        request.status?.conditions?.some((one) => one.type === type) === true;
      if (has('Denied') || has('Failed')) return undefined;
      if (has('Approved')) await sign(context, authority, request);
      else await approve(context, authority, request);
      return undefined;
    },
  });
}

async function approve(
  { api, clock }: ControllerContext,
  authority: CertificateAuthority,
  request: Csr,
): Promise<void> {
  const message = approval(authority, request);
  if (message === undefined) return; // a person decides
  const now = seconds(clock.nowMs());
  const approved = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  const conditions = [...(request.status?.conditions ?? []), approved];
  await api.update<Csr>(
    csrKind,
    { ...request, status: { ...request.status, conditions } },
    { subresource: 'approval' },
  );
}

/** Why the request may be approved without a person; undefined: it may not. */
function approval(authority: CertificateAuthority, request: Csr): string | undefined {
  const { signerName, username = '', groups = [], usages = [] } = request.spec;
  const facts = readOrNothing(authority, request);
  if (facts === undefined) return undefined;
  const { commonName, organizations } = facts.subject;
  const named = /^system:node:.+/.test(commonName) && organizations.join() === 'system:nodes';
  const allowed = signerName === servingSigner ? servingUsages : clientUsages;
  if (!named || !usages.every((usage) => allowed.includes(usage))) return undefined;
  const isSelf = username === commonName && groups.includes('system:nodes');
  if (signerName === servingSigner)
    return isSelf && facts.dnsNames.length + facts.ipAddresses.length > 0
      ? 'Auto approving kubelet serving certificate of the node itself.'
      : undefined;
  if (signerName !== clientSigner || facts.dnsNames.length + facts.ipAddresses.length > 0)
    return undefined;
  if (isSelf) return 'Auto approving self kubelet client certificate after SubjectAccessReview.';
  return groups.includes('system:bootstrappers')
    ? 'Auto approving kubelet client certificate after SubjectAccessReview.'
    : undefined;
}

function readOrNothing(authority: CertificateAuthority, request: Csr) {
  try {
    return authority.read(csrPem(request));
  } catch {
    // Not a sound request: nobody approves it by itself, and signing says what is wrong with it.
    return undefined;
  }
}

function csrPem(request: Csr): string {
  return atob(String(request.spec.request));
}

async function sign(
  { api, clock }: ControllerContext,
  authority: CertificateAuthority,
  request: Csr,
): Promise<void> {
  const { signerName, usages = [], expirationSeconds } = request.spec;
  if (signerName !== clientSigner && signerName !== servingSigner) return;
  let status: Csr['status'];
  try {
    const pem = await authority.sign(csrPem(request), {
      usages,
      lifetimeSeconds: Math.min(
        expirationSeconds ?? lifetimeSecondsDefault,
        lifetimeSecondsDefault,
      ),
    });
    status = { ...request.status, certificate: btoa(pem) };
  } catch (error) {
    const now = seconds(clock.nowMs());
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message: error instanceof Error ? error.message : String(error),
      lastUpdateTime: now,
      lastTransitionTime: now,
    };
    status = { ...request.status, conditions: [...(request.status?.conditions ?? []), failed] };
  }
  await api.update<Csr>(csrKind, { ...request, status }, { subresource: 'status' });
}

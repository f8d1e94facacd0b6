import type { CertificateRequest } from '#io';

/** What a signer of the cluster gives out, and to whose requests (pkg/apis/certificates helpers). */
interface SignerRules {
  /** What the certificate may be used for, in X.509's words. */
  readonly extended: 'clientAuth' | 'serverAuth';
  /** Every one of these must be asked for ... */
  readonly required: readonly string[];
  /** ... and besides them only these. */
  readonly allowed: readonly string[];
  /** Why this subject and these names get no certificate; undefined when they may. */
  problem(asked: CertificateRequest): string | undefined;
}

export const clientSigner = 'kubernetes.io/kube-apiserver-client';
export const nodeClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
export const nodeServingSigner = 'kubernetes.io/kubelet-serving';
export const nodePrefix = 'system:node:';

const signers: Readonly<Record<string, SignerRules>> = {
  [clientSigner]: {
    extended: 'clientAuth',
    required: ['client auth'],
    allowed: ['digital signature', 'key encipherment'],
    problem: ({ subject }) =>
      subject.organizations.includes('system:masters')
        ? 'system:masters is not given out'
        : undefined,
  },
  [nodeClientSigner]: {
    extended: 'clientAuth',
    required: ['digital signature', 'client auth'],
    allowed: ['key encipherment'],
    problem: (asked) =>
      nodeProblem(asked) ??
      (asked.dnsNames.length > 0 ? 'DNS subjectAltNames are not allowed' : undefined) ??
      (asked.ipAddresses.length > 0 ? 'IP subjectAltNames are not allowed' : undefined),
  },
  [nodeServingSigner]: {
    extended: 'serverAuth',
    required: ['digital signature', 'server auth'],
    allowed: ['key encipherment'],
    problem: (asked) =>
      nodeProblem(asked) ??
      (asked.dnsNames.length + asked.ipAddresses.length === 0
        ? 'DNS or IP subjectAltName is required'
        : undefined),
  },
};

function nodeProblem({ subject, otherNames }: CertificateRequest): string | undefined {
  const { commonName, organizations } = subject;
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes';
  if (!commonName.startsWith(nodePrefix) || commonName === nodePrefix)
    return 'subject common name does not begin with system:node: ';
  return otherNames > 0 ? 'Email and URI subjectAltNames are not allowed' : undefined;
}

/** Undefined for signers that somebody else is. */
export function signerRules(signerName: string): SignerRules | undefined {
  return Object.hasOwn(signers, signerName) ? signers[signerName] : undefined;
}

/** Why a signer of ours must not certify this; undefined when it may. */
export function requestProblem(
  { required, allowed, problem }: SignerRules,
  asked: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  const complete = required.every((usage) => usages.includes(usage));
  const extra = usages.some((usage) => !required.includes(usage) && !allowed.includes(usage));
  if (!complete || extra) return `usages did not match [${required.join(' ')}]`;
  return problem(asked);
}

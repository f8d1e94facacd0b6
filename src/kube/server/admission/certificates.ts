import type { AdmissionPlugin, AdmissionRequest, Authorizer } from '#apiserver';
import { readCsr } from '#io';
import type { certificatesV1 } from '#kube/kinds';
import { draftOf, refuse } from './about.ts';

type Csr = certificatesV1.CertificateSigningRequest;
const group = 'certificates.k8s.io';

function isCsr(request: AdmissionRequest, subresource: string): boolean {
  const { kind } = request;
  return (
    kind.group === group &&
    kind.plural === 'certificatesigningrequests' &&
    request.subresource === subresource
  );
}

/** A request says who made it; nobody writes that but the server (certificates strategy PrepareForCreate). */
export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  mutate(request) {
    if (request.operation !== 'CREATE' || !isCsr(request, '')) return;
    const { spec, status } = draftOf<Csr>(request);
    const { name, uid, groups, extra } = request.user;
    spec.username = name;
    spec.groups = [...groups];
    delete spec.uid;
    delete spec.extra;
    if (uid !== undefined && uid !== '') spec.uid = uid;
    const pairs = Object.entries(extra ?? {});
    if (pairs.length > 0)
      spec.extra = Object.fromEntries(pairs.map(([key, values]) => [key, [...values]]));
    delete status.certificate;
    delete status.conditions;
  },
};

/** Whoever approves needs `approve` on the signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      if (request.operation !== 'UPDATE' || !isCsr(request, 'approval')) return;
      const signer = (request.old as Csr | undefined)?.spec.signerName ?? '';
      if (!maySigner(request, authorizer, { verb: 'approve', signer }))
        throw refuse(
          request,
          `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`,
        );
    },
  };
}

/** Whoever puts in a certificate or a failure needs `sign` on the signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      if (request.operation !== 'UPDATE' || !isCsr(request, 'status')) return;
      const old = request.old as Csr | undefined;
      const csr = draftOf<Csr>(request);
      const certificateSame = csr.status.certificate === old?.status.certificate;
      const conditionsSame =
        JSON.stringify(csr.status.conditions ?? []) ===
        JSON.stringify(old?.status.conditions ?? []);
      if (certificateSame && conditionsSame) return;
      const signer = old?.spec.signerName ?? '';
      if (!maySigner(request, authorizer, { verb: 'sign', signer }))
        throw refuse(
          request,
          `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`,
        );
    },
  };
}

/** Nobody asks for a certificate of system:masters. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(request) {
    if (request.operation !== 'CREATE' || !isCsr(request, '')) return;
    const csr = draftOf<Csr>(request);
    if (csr.spec.signerName !== 'kubernetes.io/kube-apiserver-client') return;
    const asked = readCsr(Buffer.from(csr.spec.request, 'base64').toString('utf8'));
    if (asked.subject.organizations.includes('system:masters'))
      throw refuse(
        request,
        'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
      );
  },
};

function maySigner(
  request: AdmissionRequest,
  authorizer: Authorizer,
  what: { readonly verb: string; readonly signer: string },
): boolean {
  const [domain = ''] = what.signer.split('/');
  return [what.signer, `${domain}/*`].some(
    (name) =>
      authorizer.authorize({
        user: request.user,
        verb: what.verb,
        isResource: true,
        group,
        version: 'v1',
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
        path: '',
      }).decision === 'allow',
  );
}

import { pathSegmentName } from '#machinery';
import type { Draft, WriteContext } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, humanDuration, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import { checkSignerName } from '../shared/signer.ts';
import type { CertificateSigningRequest } from '../types/certificates-v1.ts';

type Csr = CertificateSigningRequest;

export const certificateSigningRequests = declareKind<Csr>(
  'certificates.k8s.io/v1/CertificateSigningRequest',
  {
    nameProblems: pathSegmentName,
    prepareForUpdate: (csr, old) => {
      // Nothing but metadata changes here; approval and status have their own doors.
      csr.spec = structuredClone(old.spec) as Draft<Csr>['spec'];
    },
    prepareForStatusUpdate: stampConditions,
    validateCreate: ({ spec }) => {
      const root = rootField();
      if ((spec.usages ?? []).length === 0) root.at('spec.usages').required();
      if (spec.signerName === 'kubernetes.io/legacy-unknown')
        root
          .at('spec.signerName')
          .invalid(spec.signerName, 'the legacy signerName is not allowed via this API version');
      else checkSignerName(spec.signerName, root.at('spec.signerName'));
      if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600)
        root
          .at('spec.expirationSeconds')
          .invalid(
            spec.expirationSeconds,
            'may not specify a duration less than 600 seconds (10 minutes)',
          );
      return root.found;
    },
    validateStatusUpdate: ({ status }, old) => {
      const root = rootField();
      if (old.status.certificate && !sameValue(status.certificate, old.status.certificate))
        root
          .at('status.certificate')
          .forbidden('updates may not modify existing certificate content');
      return root.found;
    },
    selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
    table: {
      columns: [
        nameColumn,
        ageColumn,
        column('SignerName', ({ spec }) => spec.signerName || '<none>'),
        column('Requestor', ({ spec }) => spec.username ?? ''),
        column('RequestedDuration', ({ spec }) =>
          spec.expirationSeconds === undefined
            ? '<none>'
            : humanDuration(spec.expirationSeconds * 1000),
        ),
        column('Condition', conditionCell),
      ],
    },
  },
);

function conditionCell({ status }: Csr): string {
  const has = (wanted: string) => (status.conditions ?? []).some(({ type }) => type === wanted);
  let text = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  if (has('Failed')) text += ',Failed';
  return status.certificate ? `${text},Issued` : text;
}

/** Conditions get their times from the server. */
function stampConditions(csr: Draft<Csr>, old: Csr, { nowMs }: WriteContext): void {
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  for (const condition of csr.status.conditions ?? []) {
    const before = (old.status.conditions ?? []).find(
      ({ type, status }) => type === condition.type && status === condition.status,
    );
    condition.lastUpdateTime ||= now;
    condition.lastTransitionTime ||= before?.lastTransitionTime ?? now;
  }
}

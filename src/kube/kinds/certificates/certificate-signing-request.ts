import { pathSegmentName } from '#machinery';
import type { Draft, WriteContext } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, humanDuration, nameColumn } from '../shared/columns.ts';
import type { CertificateSigningRequest } from '../types/certificates-v1.ts';
import { validateRequest, validateRequestUpdate } from './csr-rules.ts';

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
    partialUpdates: {
      approval: {
        prepare: (csr, old, context) => {
          const { conditions } = csr.status;
          csr.spec = structuredClone(old.spec) as Draft<Csr>['spec'];
          csr.status = structuredClone(old.status) as Draft<Csr>['status'];
          if (conditions === undefined) delete csr.status.conditions;
          else csr.status.conditions = conditions;
          stampConditions(csr, old, context);
        },
        validate: (csr, old) => validateRequestUpdate(csr, old, 'approval'),
      },
    },
    validateCreate: validateRequest,
    validateUpdate: (csr, old) => validateRequestUpdate(csr, old, 'main'),
    validateStatusUpdate: (csr, old) => validateRequestUpdate(csr, old, 'status'),
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

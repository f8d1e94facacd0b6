import type { Problem } from '#machinery';
import { jsonDiff } from '../shared/diff.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import { checkSignerName } from '../shared/signer.ts';
import type { CertificateSigningRequest } from '../types/certificates-v1.ts';

type Csr = CertificateSigningRequest;
type Condition = NonNullable<Csr['status']['conditions']>[number];

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const legacySigner = 'kubernetes.io/legacy-unknown';
const finalTypes = ['Approved', 'Denied', 'Failed'];

/** ValidateCertificateSigningRequestCreate. Whether the request's signature holds, admission sees. */
export function validateRequest({ spec }: Csr): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  if (!hasBlock(spec.request, 'CERTIFICATE REQUEST'))
    field.at('request').invalid(spec.request, 'PEM block type must be CERTIFICATE REQUEST');
  if ((spec.usages ?? []).length === 0) field.at('usages').required();
  const seen = new Set<string>();
  for (const [index, usage] of (spec.usages ?? []).entries()) {
    const at = field.at('usages').at(index);
    if (!usages.includes(usage)) at.notSupported(usage, usages);
    if (seen.has(usage)) at.duplicate(usage);
    seen.add(usage);
  }
  if (spec.signerName === legacySigner)
    field
      .at('signerName')
      .invalid(spec.signerName, 'the legacy signerName is not allowed via this API version');
  else checkSignerName(spec.signerName, field.at('signerName'));
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600)
    field
      .at('expirationSeconds')
      .invalid(
        spec.expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      );
  return root.found;
}

function hasBlock(base64: string, type: string): boolean {
  const first = /-----BEGIN ([^-\n]+)-----/.exec(
    Buffer.from(base64 ?? '', 'base64').toString('latin1'),
  );
  return first?.[1] === type;
}

/** Who writes: `status` may set a certificate, `approval` may approve or deny. */
export type Through = 'main' | 'status' | 'approval';

/** ValidateCertificateSigningRequestUpdate, -StatusUpdate and -ApprovalUpdate. */
export function validateRequestUpdate(csr: Csr, old: Csr, through: Through): readonly Problem[] {
  const root = rootField();
  const field = root.at('status');
  checkConditions(csr.status.conditions ?? [], old.status.conditions ?? [], field.at('conditions'));
  checkCertificate(csr, old, { field: field.at('certificate'), through });
  checkFinal(csr.status.conditions ?? [], old.status.conditions ?? [], {
    field: field.at('conditions'),
    mayApprove: through === 'approval',
  });
  return root.found;
}

function checkConditions(
  now: readonly Condition[],
  then: readonly Condition[],
  field: Field,
): void {
  const seen = new Set<string>();
  const had = (type: string): boolean => then.some((one) => one.type === type);
  const hadBoth = had('Approved') && had('Denied');
  for (const [index, { type, status }] of now.entries()) {
    const at = field.at(index);
    if (type === '') at.at('type').required();
    const allowed = finalTypes.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') at.at('status').required();
    else if (!allowed.includes(status)) at.at('status').notSupported(status, allowed);
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (opposite !== undefined && seen.has(opposite) && !hadBoth)
      field.invalid(type, 'Approved and Denied conditions are mutually exclusive');
    if (seen.has(type)) at.at('type').duplicate(type);
    seen.add(type);
  }
}

function checkCertificate(
  csr: Csr,
  old: Csr,
  { field, through }: { readonly field: Field; readonly through: Through },
): void {
  const now = csr.status.certificate ?? '';
  const then = old.status.certificate ?? '';
  if (now === then) return;
  if (through !== 'status') return field.forbidden('updates may not set certificate content');
  if (then !== '') return field.forbidden('updates may not modify existing certificate content');
  const text = Buffer.from(now, 'base64').toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([^-\n]+)-----/g)].map(([, type]) => type ?? '');
  const other = blocks.find((type) => type !== 'CERTIFICATE');
  const printed = '<certificate data>';
  if (other !== undefined)
    field.invalid(
      printed,
      `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(other)}`,
    );
  else if (blocks.length === 0)
    field.invalid(printed, 'must contain at least one CERTIFICATE PEM block');
}

/** What was decided stays decided, and only through `approval` is it decided. */
function checkFinal(
  now: readonly Condition[],
  then: readonly Condition[],
  { field, mayApprove }: { readonly field: Field; readonly mayApprove: boolean },
): void {
  for (const type of finalTypes) {
    const after = now.filter((one) => one.type === type);
    const before = then.filter((one) => one.type === type);
    const what = `a condition of type ${JSON.stringify(type)}`;
    if (after.length < before.length) field.forbidden(`updates may not remove ${what}`);
    else if (mayApprove || type === 'Failed') continue;
    else if (after.length > before.length) field.forbidden(`updates may not add ${what}`);
    else if (!sameValue(after, before))
      field.forbidden(`updates may not modify ${what}\n${jsonDiff(before, after)}`);
  }
}

import { dns1123Label, dns1123Subdomain } from '#machinery';
import type { Field } from './field.ts';

/** `example.com/signer-name` (ValidateSignerName). */
export function checkSignerName(name: string, field: Field): void {
  if (name === '') return field.required();
  const parts = name.split('/');
  if (parts.length !== 2)
    return field.invalid(
      name,
      "must be a fully qualified domain and path of the form 'example.com/signer-name'",
    );
  const [host = '', path = ''] = parts;
  if (host.length > 253) field.tooLong(253);
  const labels = host.split('.');
  const badLabel = labels.find((label) => dns1123Label(label).length > 0);
  if (badLabel !== undefined)
    for (const text of dns1123Label(badLabel))
      field.invalid(host, `validating label "${badLabel}": ${text}`);
  if (labels.length < 2)
    field.invalid(host, 'should be a domain with at least two segments separated by dots');
  const badPart = path.split('.').find((part) => dns1123Subdomain(part).length > 0);
  if (badPart !== undefined)
    for (const text of dns1123Subdomain(badPart))
      field.invalid(path, `validating label "${badPart}": ${text}`);
  if (name.length > 571) field.tooLong(571);
}

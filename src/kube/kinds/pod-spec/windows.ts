import { dns1123Subdomain } from '#machinery';
import type { Field } from '../shared/field.ts';
import type { Container, PodSpec, WindowsSecurityContextOptions } from '../types/core-v1.ts';

const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsName =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

export function checkWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  field: Field,
): void {
  if (options === undefined) return;
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined)
    field
      .at('gmsaCredentialSpecName')
      .invalidAll(gmsaCredentialSpecName, dns1123Subdomain(gmsaCredentialSpecName));
  if (gmsaCredentialSpec !== undefined) {
    const at = field.at('gmsaCredentialSpec');
    if (gmsaCredentialSpec === '')
      at.invalid(gmsaCredentialSpec, 'gmsaCredentialSpec cannot be an empty string');
    else if (gmsaCredentialSpec.length > 65_536)
      at.invalid(gmsaCredentialSpec, 'gmsaCredentialSpec size must be under 64 KiB');
  }
  if (runAsUserName !== undefined) checkUserName(runAsUserName, field.at('runAsUserName'));
}

function checkUserName(name: string, field: Field): void {
  if (name === '') return field.invalid(name, 'runAsUserName cannot be an empty string');
  if (/[\x00-\x1f\x7f]/.test(name))
    return field.invalid(name, 'runAsUserName cannot contain control characters');
  const parts = name.split('\\');
  if (parts.length > 2)
    return field.invalid(name, 'runAsUserName cannot contain more than one backslash');
  const user = parts.at(-1) ?? '';
  if (parts.length === 2) {
    const domain = parts[0] ?? '';
    if (domain.length >= 256)
      field.invalid(name, "runAsUserName's Domain length must be under 256 characters");
    if (!netBios.test(domain) && !dnsName.test(domain))
      field.invalid(name, "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') field.invalid(name, "runAsUserName's User cannot be empty");
  if (user.length > 104)
    field.invalid(name, "runAsUserName's User length must not be longer than 104 characters");
  if (user !== '' && /^[. ]+$/.test(user))
    field.invalid(name, "runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    field.invalid(
      name,
      'runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]',
    );
}

/** Host process containers: all of a Pod or none, and in the host's network. */
export function checkHostProcess(spec: PodSpec, field: Field): void {
  const pod = spec.securityContext?.windowsOptions?.hostProcess;
  let some = false;
  let all = true;
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const containers: readonly Partial<Container>[] = spec[list] ?? [];
    for (const [index, { securityContext }] of containers.entries()) {
      const own = securityContext?.windowsOptions?.hostProcess;
      if (pod !== undefined && own !== undefined && pod !== own)
        field
          .at(list)
          .at(index)
          .at('securityContext.windowsOptions.hostProcess')
          .invalid(
            own,
            `pod hostProcess value must be identical if both are specified, was ${pod}`,
          );
      if (own ?? pod) some = true;
      else all = false;
    }
  }
  if (!some) return;
  if (!all)
    field.invalid(
      '',
      'If pod contains any hostProcess containers then all containers must be HostProcess containers',
    );
  if (spec.hostNetwork !== true)
    field
      .at('hostNetwork')
      .invalid(false, 'hostNetwork must be true if pod contains any hostProcess containers');
}

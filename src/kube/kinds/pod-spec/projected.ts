import { dns1123Subdomain } from '#machinery';
import type { Field } from '../shared/field.ts';
import { checkSelector } from '../shared/meta.ts';
import { checkSignerName } from '../shared/signer.ts';
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../types/core-v1.ts';
import { checkFieldRef, checkResourceRef } from './env.ts';
import { checkLocalPath } from './paths.ts';
import { checkKeyToPath, checkMode } from './volume-sources.ts';

const downwardPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const sourceKinds: readonly (keyof VolumeProjection)[] = [
  'secret',
  'downwardAPI',
  'configMap',
  'serviceAccountToken',
  'clusterTrustBundle',
  'podCertificate',
];

/** The reference prints these without the item's index. */
export function checkDownwardFiles(
  items: readonly DownwardAPIVolumeFile[] | undefined,
  field: Field,
): void {
  for (const { path, fieldRef, resourceFieldRef, mode } of items ?? []) {
    if (path === '') field.at('path').required();
    checkLocalPath(path, field.at('path'));
    if (fieldRef !== undefined) {
      checkFieldRef(fieldRef, field.at('fieldRef'), downwardPaths);
      if (resourceFieldRef !== undefined)
        field.invalid(
          'resource',
          'fieldRef and resourceFieldRef can not be specified simultaneously',
        );
    } else if (resourceFieldRef !== undefined)
      checkResourceRef(resourceFieldRef, field.at('resourceFieldRef'), true);
    else field.required('one of fieldRef and resourceFieldRef is required');
    checkMode(mode, field.at('mode'));
  }
}

export function checkProjected(
  { sources, defaultMode }: ProjectedVolumeSource,
  field: Field,
  anyTokenPath: boolean,
): void {
  checkMode(defaultMode, field.at('defaultMode'));
  const paths = new Set<string>();
  /** A path may be made once; `owner` is what the reference prints when it is made again. */
  const claim = (path: string | undefined, owner: string): void => {
    if (!path) return;
    if (paths.has(path)) field.invalid(owner, 'conflicting duplicate paths');
    paths.add(path);
  };
  for (const [index, source] of (sources ?? []).entries()) {
    const at = field.at('sources').at(index);
    if (sourceKinds.filter((kind) => source[kind] !== undefined).length > 1)
      at.forbidden('may not specify more than 1 volume type per source');
    checkKeySources(source, at, claim);
    if (source.downwardAPI !== undefined) {
      checkDownwardFiles(source.downwardAPI.items, at.at('downwardAPI'));
      for (const { path } of source.downwardAPI.items ?? []) claim(path, path);
    }
    if (source.serviceAccountToken !== undefined) {
      checkToken(source.serviceAccountToken, at.at('serviceAccountToken'), field.at('path'));
      if (!anyTokenPath && source.serviceAccountToken.path !== '')
        checkLocalPath(source.serviceAccountToken.path, field.at('path'));
      claim(source.serviceAccountToken.path, source.serviceAccountToken.path);
    }
    if (source.clusterTrustBundle !== undefined) {
      checkBundle(source.clusterTrustBundle, at.at('clusterTrustBundle'));
      claim(source.clusterTrustBundle.path, source.clusterTrustBundle.path);
    }
    if (source.podCertificate !== undefined) {
      checkCertificate(source.podCertificate, at.at('podCertificate'));
      const { credentialBundlePath, keyPath, certificateChainPath } = source.podCertificate;
      for (const path of [credentialBundlePath, keyPath, certificateChainPath])
        claim(path, path ?? '');
    }
  }
}

function checkKeySources(
  source: VolumeProjection,
  field: Field,
  claim: (path: string | undefined, owner: string) => void,
): void {
  for (const kind of ['secret', 'configMap'] as const) {
    const keys = source[kind];
    if (keys === undefined) continue;
    if (!keys.name) field.at(kind).at('name').required();
    checkKeyToPath(keys.items, field.at(kind).at('items'));
    for (const { path } of keys.items ?? []) claim(path, keys.name ?? '');
  }
}

function checkToken(token: ServiceAccountTokenProjection, field: Field, pathField: Field): void {
  const seconds = token.expirationSeconds;
  if (seconds !== undefined && seconds < tokenSecondsMin)
    field
      .at('expirationSeconds')
      .invalid(seconds, 'may not specify a duration less than 10 minutes');
  if (seconds !== undefined && seconds > tokenSecondsMax)
    field
      .at('expirationSeconds')
      .invalid(seconds, 'may not specify a duration larger than 2^32 seconds');
  if (token.path === '') pathField.required();
}

function checkBundle(bundle: ClusterTrustBundleProjection, field: Field): void {
  const { name, signerName, labelSelector, path } = bundle;
  if (name !== undefined && signerName !== undefined)
    field.invalid(bundle, 'only one of name and signerName may be used');
  else if (name !== undefined) {
    const plain = name.slice(name.lastIndexOf(':') + 1);
    if (name === '') field.at('name').required('must be a valid object name');
    for (const text of dns1123Subdomain(plain))
      field.at('name').invalid(name, `not a valid clustertrustbundlename: ${text}`);
    if (labelSelector !== undefined)
      field
        .at('labelSelector')
        .invalid(labelSelector, 'labelSelector must be unset if name is specified');
  } else if (signerName !== undefined) {
    if (signerName === '') field.at('signerName').required('must be a valid signer name');
    checkSignerName(signerName, field.at('signerName'));
    checkSelector(labelSelector, field.at('labelSelector'));
  } else field.required('either name or signerName must be specified');
  if (path === '') field.at('path').required();
  checkLocalPath(path, field.at('path'));
}

function checkCertificate(certificate: PodCertificateProjection, field: Field): void {
  const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];
  const { signerName = '', keyType = '', maxExpirationSeconds: seconds } = certificate;
  checkSignerName(signerName, field.at('signerName'));
  if (!keyTypes.includes(keyType)) field.at('keyType').notSupported(keyType, keyTypes);
  const host = signerName.split('/')[0] ?? '';
  const secondsMax = /(^|\.)kubernetes\.io$/.test(host) ? 86_400 : 7_862_400;
  if (seconds !== undefined && (seconds < 3600 || seconds > secondsMax))
    field
      .at('maxExpirationSeconds')
      .invalid(
        seconds,
        `if provided, maxExpirationSeconds must be ${seconds < 3600 ? '>= 3600' : `<= ${secondsMax}`}`,
      );
  let given = 0;
  for (const name of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const) {
    const path = certificate[name];
    if (!path) continue;
    given++;
    checkLocalPath(path, field.at(name));
  }
  if (given === 0)
    field.required(
      'specify at least one of credentialBundlePath, keyPath, and certificateChainPath',
    );
}

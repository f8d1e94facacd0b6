import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf, isMissing, messageOf } from '../oci/namespace.ts';
import type { RegistryOptions } from '../options.ts';
import { ImageError } from '../runtime.ts';
import { fieldsOf, listOf, textOf } from './documents.ts';
import type { Fields } from './documents.ts';

const knownFields = new Set(['registries', 'caFiles', 'dockerConfigs']);
const hostFields = new Set([
  'mirrors',
  'caFile',
  'insecure',
  'username',
  'password',
  'identityToken',
]);

interface Reading {
  readonly options: RegistryOptions;
  /** Every file that was read. */
  readonly files: readonly string[];
}

/**
 * The user's `registries.json` as it is now: read again when it, or a file it names, has changed. No
 * file is no settings. One that cannot be read refuses every pull by saying so, rather than pulling
 * from somewhere else than the user meant.
 */
export function registrySettings(path: string, fixed: RegistryOptions = {}): () => RegistryOptions {
  let seen: string | undefined;
  let options: RegistryOptions = fixed;
  let files: readonly string[] = [path];
  return () => {
    if (seen !== undefined && stampOf(files) === seen) return options;
    try {
      const reading = readSettings(path);
      files = reading.files;
      options = { ...reading.options, ...fixed };
    } catch (cause) {
      seen = undefined;
      throw new ImageError('ErrImagePull', `Cannot read ${path}: ${messageOf(cause)}`, { cause });
    }
    seen = stampOf(files);
    return options;
  };
}

/** Changes whenever one of the files does. */
function stampOf(files: readonly string[]): string {
  const stamps = files.map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? '-' : `${stat.ino}.${stat.size}.${stat.mtimeNs}`;
  });
  return stamps.join(' ');
}

function readSettings(path: string): Reading {
  const text = textAt(path);
  if (text === undefined) return { options: {}, files: [path] };
  const whole = fieldsOf(JSON.parse(text));
  refuseUnknown(whole, knownFields, 'it');
  const files = [path];
  const read = (name: string): string => {
    const file = resolve(dirname(path), name);
    files.push(file);
    return readFileSync(file, 'utf8');
  };
  const mirrors: Record<string, readonly string[]> = Object.create(null);
  const caByHost: Record<string, string> = Object.create(null);
  const insecure: string[] = [];
  const auths: Record<string, unknown> = Object.create(null);
  for (const [host, value] of fieldsOf(whole.get('registries'))) {
    const fields = fieldsOf(value);
    refuseUnknown(fields, hostFields, `registry ${JSON.stringify(host)}`);
    if (fields.has('mirrors')) mirrors[host] = textsAt(fields, 'mirrors').map(checkedUrl);
    if (fields.has('caFile')) caByHost[host] = read(textAtField(fields, 'caFile'));
    if (fields.get('insecure') === true) insecure.push(host);
    if (fields.has('username') || fields.has('identityToken'))
      auths[host] = {
        username: textOf(fields.get('username')),
        password: textOf(fields.get('password')),
        identitytoken: textOf(fields.get('identityToken')),
      };
  }
  const ca = textsAt(whole, 'caFiles').map(read).join('\n');
  const configs = textsAt(whole, 'dockerConfigs').map((name): unknown => JSON.parse(read(name)));
  return {
    files,
    options: {
      mirrors,
      caByHost,
      insecure,
      ...(ca === '' ? {} : { ca }),
      credentials: [...(Object.keys(auths).length === 0 ? [] : [{ auths }]), ...configs],
    },
  };
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause) && codeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

function refuseUnknown(fields: Fields, known: ReadonlySet<string>, where: string): void {
  const unknown = [...fields.keys()].find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new Error(`${where} has a field ${JSON.stringify(unknown)}, which nobody knows`);
}

function textsAt(fields: Fields, name: string): readonly string[] {
  const value = fields.get(name);
  if (value === undefined) return [];
  const texts = listOf(value).filter((item) => typeof item === 'string');
  if (!Array.isArray(value) || texts.length !== value.length)
    throw new Error(`${name} must be a list of texts`);
  return texts;
}

function textAtField(fields: Fields, name: string): string {
  const value = textOf(fields.get(name));
  if (value === '') throw new Error(`${name} must be a text`);
  return value;
}

function checkedUrl(text: string): string {
  if (!URL.canParse(text.includes('://') ? text : `https://${text}`))
    throw new Error(`mirror ${JSON.stringify(text)} is no URL`);
  return text;
}

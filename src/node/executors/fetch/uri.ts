import type { CommandInfoURI } from '#mesos/protocol';

/** A CommandInfo.URI, understood. */
export interface FetchSource {
  readonly uri: string;
  readonly kind: 'http' | 'ftp' | 'local' | 'hadoop';
  /** The URL, or the path on this machine. */
  readonly from: string;
  /** Within the sandbox. */
  readonly to: string;
}

/** Where a URI leads, or throws with the fetcher's words (launcher/fetcher.cpp). */
export function sourceOf(uri: CommandInfoURI): FetchSource {
  const value = uri.value.trimStart();
  if (/[\\'\0]/.test(value)) throw new Error('Illegal characters in URI');
  const to = targetOf(uri, value);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(value)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') return { uri: value, kind: 'http', from: value, to };
  if (scheme === undefined || scheme === 'file')
    return { uri: value, kind: 'local', from: localPath(value, scheme !== undefined), to };
  if (scheme === 'ftp' || scheme === 'ftps') return { uri: value, kind: 'ftp', from: value, to };
  // Its client may be set up for any scheme (docs/fetcher.md).
  return { uri: value, kind: 'hadoop', from: value, to };
}

function localPath(value: string, file: boolean): string {
  const path = file ? value.slice('file://'.length).replace(/^localhost(?=\/)/, '') : value;
  if (path.startsWith('/')) return path;
  if (file) throw new Error('File URI only supports absolute paths');
  throw new Error(
    'A relative path was passed for the resource but the Mesos framework home was not specified. ' +
      'Please either provide this config option or avoid using a relative path',
  );
}

/** The name it gets: the asked one, or what follows the last slash. */
function targetOf(uri: CommandInfoURI, value: string): string {
  const { output_file: output } = uri;
  if (output !== undefined) {
    if (output === '') throw new Error('URI output file path is empty');
    if (output.startsWith('/') || output.split('/').includes('..'))
      throw new Error('URI output file must be within the sandbox directory');
    return output;
  }
  const rest = value.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, '');
  const slash = rest.lastIndexOf('/');
  const name = rest.slice(slash + 1);
  if (slash < 0 || name === '' || name === '..' || name === '.')
    throw new Error(`Malformed URI (missing path): ${value}`);
  return name;
}

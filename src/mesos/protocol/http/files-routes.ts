import type { FaceReply, Sink } from '#base';
import { CallRejected } from '../link.ts';
import type { Action } from './access.ts';
import type { VirtualFiles } from './files.ts';
import { jsonReply, textReply } from './replies.ts';
import type { HttpRequest, Routes } from './router.ts';

const chunkBytes = 64 * 1024;

/** `/files/browse`, `read`, `download`, `debug` (mesos.md 8.5). */
export function filesRoutes(
  files: VirtualFiles,
  { realm, action }: { readonly realm: string; readonly action: Action },
): Routes {
  const endpoints: Readonly<Record<string, (asked: Asked) => Promise<FaceReply>>> = {
    browse,
    read,
    download,
    debug,
  };
  const routes: Record<string, Routes[string]> = {};
  for (const [name, answer] of Object.entries(endpoints)) {
    const handle = (request: HttpRequest): Promise<FaceReply> =>
      withLineFeed(() => answer({ files, request, action }));
    routes[name] = { realm, handle };
    routes[`${name}.json`] = { realm, handle };
  }
  return routes;
}

interface Asked {
  readonly files: VirtualFiles;
  readonly request: HttpRequest;
  /** What a caller must be allowed, per path. */
  readonly action: Action;
}

/** Texts of these endpoints end with a line feed. */
async function withLineFeed(answer: () => Promise<FaceReply>): Promise<FaceReply> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof CallRejected)) throw error;
    return textReply(error.status, error.message === '' ? undefined : `${error.message}\n`);
  }
}

function pathOf({ request, action }: Asked): string {
  const path = request.query.get('path');
  if (path === undefined || path === '')
    throw new CallRejected(400, "Expecting 'path=value' in query.");
  if (!request.caller.allows(action, { path })) throw new CallRejected(403, '');
  return path;
}

async function browse(asked: Asked): Promise<FaceReply> {
  const infos = await asked.files.browse(pathOf(asked));
  const shown = infos.map(({ path, nlink, size, mtime, mode, uid, gid }) => ({
    gid: gid ?? '',
    mode: modeText(mode ?? 0),
    mtime: Math.trunc((mtime?.nanoseconds ?? 0) / 1e9),
    nlink: nlink ?? 0,
    path,
    size: size ?? 0,
    uid: uid ?? '',
  }));
  return jsonReply(JSON.stringify(shown), asked.request.query.get('jsonp'));
}

/** A whole number of a query; -1 counts as absent. */
function numberOf(request: HttpRequest, name: 'offset' | 'length'): number | undefined {
  const text = request.query.get(name);
  if (text === undefined || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text))
    throw new CallRejected(400, `Failed to parse ${name}: Failed to convert '${text}' to number.`);
  const value = Number(text);
  if (value === -1) return undefined;
  const shown = name === 'offset' ? 'offset' : 'length';
  if (value < 0) throw new CallRejected(400, `Negative ${shown} provided: ${value}.`);
  return value;
}

async function read(asked: Asked): Promise<FaceReply> {
  const { files, request } = asked;
  const path = pathOf(asked);
  const offset = numberOf(request, 'offset');
  const length = numberOf(request, 'length');
  const jsonp = request.query.get('jsonp');
  if (offset === undefined) {
    const { size } = await files.read(path, { offset: 0, length: 0 });
    return jsonReply(JSON.stringify({ data: '', offset: size }), jsonp);
  }
  const { data, size } = await files.read(path, { offset, length });
  const text = Buffer.from(wholeLetters(data, offset + data.length < size)).toString('utf8');
  return jsonReply(JSON.stringify({ data: text, offset }), jsonp);
}

/** Without a letter that is cut at the end, which the next read brings whole. */
function wholeLetters(data: Uint8Array, goesOn: boolean): Uint8Array {
  if (!goesOn) return data;
  for (let back = 1; back <= Math.min(3, data.length - 1); back++) {
    const byte = data[data.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? data.subarray(0, data.length - back) : data;
  }
  return data;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  xml: 'text/xml',
  csv: 'text/csv',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/x-gzip',
  tar: 'application/x-tar',
};

async function download(asked: Asked): Promise<FaceReply> {
  const path = pathOf(asked);
  const file = await asked.files.open(path, 'download');
  const name = path.slice(path.lastIndexOf('/') + 1);
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const { size } = file;
  return {
    status: 200,
    headers: {
      'Content-Type': types[extension] ?? 'application/octet-stream',
      'Content-Disposition': `attachment; filename=${name.replaceAll(/[\r\n";\\]/g, '_')}`,
      'Content-Length': String(size),
    },
    body: async (sink: Sink, signal: AbortSignal) => {
      await using opened = file;
      for (let at = 0; at < size && !signal.aborted; ) {
        const chunk = await opened.read(at, Math.min(chunkBytes, size - at));
        if (chunk.length === 0) throw new Error('The file became shorter while it was sent');
        at += chunk.length;
        if (!sink.write(chunk)) await sink.drained();
      }
    },
  };
}

async function debug(asked: Asked): Promise<FaceReply> {
  const shown = Object.fromEntries(
    [...asked.files.attached()].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  return jsonReply(JSON.stringify(shown), asked.request.query.get('jsonp'));
}

/** `-rw-r--r--` */
function modeText(mode: number): string {
  const kinds: Readonly<Record<number, string>> = {
    0o040000: 'd',
    0o120000: 'l',
    0o060000: 'b',
    0o020000: 'c',
    0o010000: 'p',
    0o140000: 's',
  };
  let text = kinds[mode & 0o170000] ?? '-';
  for (const shift of [6, 3, 0]) {
    const bits = mode >> shift;
    text += `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${(bits & 1) === 0 ? '-' : 'x'}`;
  }
  return text;
}

import type { FaceReply, Sink } from '#base';
import { CallRejected, jsonReply, textReply } from '#mesos/protocol';
import type { HttpRequest, Routes } from '#mesos/protocol';
import { jsonText } from './json.ts';
import { modeText } from './sandbox-files.ts';
import type { SandboxView } from './sandbox-files.ts';

const chunkBytes = 64 * 1024;

/** `/files/browse`, `read`, `download`, `debug` (mesos.md 8.5). */
export function filesRoutes(view: SandboxView, realm: string): Routes {
  const route = (handle: (request: HttpRequest) => Promise<FaceReply>): Routes[string] => ({
    realm,
    handle: (request) => withLineFeed(request, handle),
  });
  return {
    browse: route((request) => browse(view, request)),
    'browse.json': route((request) => browse(view, request)),
    read: route((request) => read(view, request)),
    'read.json': route((request) => read(view, request)),
    download: route((request) => download(view, request)),
    'download.json': route((request) => download(view, request)),
    debug: route((request) => debug(view, request)),
    'debug.json': route((request) => debug(view, request)),
  };
}

/** Texts of these endpoints end with a line feed. */
async function withLineFeed(
  request: HttpRequest,
  handle: (request: HttpRequest) => Promise<FaceReply>,
): Promise<FaceReply> {
  try {
    return await handle(request);
  } catch (error) {
    if (!(error instanceof CallRejected)) throw error;
    return textReply(error.status, error.message === '' ? undefined : `${error.message}\n`);
  }
}

function pathOf(request: HttpRequest): string {
  const path = request.query.get('path');
  if (path === undefined || path === '')
    throw new CallRejected(400, "Expecting 'path=value' in query.");
  if (!request.caller.allows('access_sandboxes', { path })) throw new CallRejected(403, '');
  return path;
}

async function browse(view: SandboxView, request: HttpRequest): Promise<FaceReply> {
  const files = await view.browse(pathOf(request));
  const shown = files.map(({ path, nlink, size, mtime, mode, uid, gid }) => ({
    gid: gid ?? '',
    mode: modeText(mode ?? 0),
    mtime: Math.trunc((mtime?.nanoseconds ?? 0) / 1e9),
    nlink: nlink ?? 0,
    path,
    size: size ?? 0,
    uid: uid ?? '',
  }));
  return jsonReply(jsonText(shown), request.query.get('jsonp'));
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

async function read(view: SandboxView, request: HttpRequest): Promise<FaceReply> {
  const path = pathOf(request);
  const offset = numberOf(request, 'offset');
  const length = numberOf(request, 'length');
  const jsonp = request.query.get('jsonp');
  if (offset === undefined) {
    const { size } = await view.read(path, { offset: 0, length: 0 });
    return jsonReply(jsonText({ data: '', offset: size }), jsonp);
  }
  const { data, size } = await view.read(path, { offset, length });
  const text = Buffer.from(wholeLetters(data, offset + data.length < size)).toString('utf8');
  return jsonReply(jsonText({ data: text, offset }), jsonp);
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

async function download(view: SandboxView, request: HttpRequest): Promise<FaceReply> {
  const path = pathOf(request);
  const file = await view.open(path, 'download');
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

async function debug(view: SandboxView, request: HttpRequest): Promise<FaceReply> {
  const shown = Object.fromEntries([...view.attached()].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return jsonReply(jsonText(shown), request.query.get('jsonp'));
}

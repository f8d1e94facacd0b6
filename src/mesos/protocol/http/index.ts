/** The wire-neutral half of the Mesos HTTP faces: routing, negotiation, texts, documents in slices. */
export { openAccess } from './access.ts';
export type { Access, Action, ActionObject, Caller } from './access.ts';
export { compressed } from './compress.ts';
export { inProcessRequest } from './in-process.ts';
export { documentReply } from './documents.ts';
export type { DocumentOptions } from './documents.ts';
export type { OpenFile, VirtualFiles } from './files.ts';
export { filesRoutes } from './files-routes.ts';
export { LoggingLevel, loggingRoutes } from './logging.ts';
export {
  acceptedEncoding,
  acceptsEncoding,
  acceptsMediaType,
  decodeComponent,
  decodeQuery,
  mediaTypes,
} from './negotiate.ts';
export type { Encoding } from './negotiate.ts';
export { withCommonProcesses } from './processes.ts';
export {
  bytesReply,
  emptyReply,
  failureReply,
  jsonReply,
  methodNotAllowed,
  textReply,
} from './replies.ts';
export { createRouterFace } from './router.ts';
export type { HttpRequest, Route, RouterOptions, Routes } from './router.ts';
export { Double, RawJson, double, jsonText } from './legacy-json.ts';
export type { Json } from './legacy-json.ts';

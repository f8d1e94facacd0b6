/**
 * The operating system behind small interfaces: clock, chance, HTTP, TLS, processes, files, nft.
 *
 * Everything above it runs unchanged in the simulator. Start with `system.ts`.
 */
export { systemClock, systemRandom } from './system.ts';
export { createLogger, logVerbosely } from './logger.ts';
export { plainHttp } from './plain-http.ts';
export {
  certificateSubject,
  createAuthority,
  createCsr,
  issueCertificate,
  readCsr,
  signCsr,
} from './certificates.ts';
export type {
  AlternativeNames,
  CertificateOptions,
  CertificateRequest,
  ExtendedUsage,
  PemPair,
  Subject,
} from './certificates.ts';
export { ensurePki, writeSecretFile } from './pki.ts';
export type { Pki, PkiOptions } from './pki.ts';
export { BackendError, byteSocket, createBackendClient, splice } from './tunnel.ts';
export type {
  BackendClient,
  BackendReply,
  BackendRequest,
  BackendTarget,
} from './tunnel.ts';
export { askDns, serveDns } from './dns-sockets.ts';
export { runCommand, runNft } from './nft.ts';
export { portHolder } from './http-port-holder.ts';
export { holdLoopbackPort, loopbackPortHolder } from './port-holder.ts';
export { serve } from './http-server.ts';
export type { ServeOptions, Served, TlsOptions } from './http-server.ts';
export { systemFiles } from './files.ts';
export type { Files, OpenFile, PathKind, PayloadFile } from './files.ts';
export { systemFetchTools } from './fetch-tools.ts';
export type { FetchTools } from './fetch-tools.ts';
export type { ArchiveForm, ArchiveLimits } from './archive.ts';
export type { DownloadOptions } from './download.ts';
export { systemSandboxFiles } from './sandbox-files.ts';
export type {
  FileFacts,
  Owner,
  SandboxFile,
  SandboxFiles,
  SystemUser,
} from './sandbox-files.ts';
export { systemProbeNet, tcpListens } from './probe.ts';
export type { HttpAnswer, HttpTarget, ProbeNet } from './probe.ts';
export {
  acceptHeaders,
  acceptWebSocket,
  isWebSocketRequest,
  offeredProtocols,
  openWebSocket,
  webSocketBytes,
} from './websocket.ts';
export type { WebSocketMessage, WebSocketStream } from './websocket.ts';
export { HttpConnectError, createHttpClient } from './http-client.ts';
export type { HttpClient, HttpClientOptions, HttpRequest, HttpResponse } from './http-client.ts';
export { systemDatabaseFiles } from './database-files.ts';
export type { DatabaseFiles } from './database-files.ts';
export { watchEventLoop } from './http-loop.ts';
export { socketOwner } from './socket-owner.ts';
export { localCallers } from './local-callers.ts';
export type { LocalCallers, LocalCallersOptions } from './local-callers.ts';

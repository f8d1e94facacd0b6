import assert from 'node:assert/strict';

/** Upper bound of every queue, body and wait. Noun first, then unit, then Max: they sort together. */
export const limits = {
  // kube-apiserver: --max-resource-write-bytes / MaxRequestBodyBytes, 3 MiB.
  requestBodyBytesMax: 3 * 1024 * 1024,
  objectBytesMax: 1536 * 1024,
  jsonDepthMax: 10_000,
  watchBacklogBytesMax: 16 * 1024 * 1024,
  watchCacheEventsMax: 16_384,
  watchBookmarkMs: 60_000,
  listPageMax: 10_000,
  nodeSilenceMsMax: 40_000,
  nodeHeartbeatMs: 10_000,
  nodeLeaseSeconds: 40,
  eventTtlMs: 3_600_000,
  historyKeepMs: 300_000,
  endpointDropWaitMsMax: 500,
  imageLayerBytesMax: 16 * 1024 * 1024 * 1024,
  imageManifestBytesMax: 4 * 1024 * 1024,
  imageLayersMax: 256,
} as const;

assert(limits.objectBytesMax <= limits.requestBodyBytesMax);
// A node may lose two heartbeats and still be alive.
assert(3 * limits.nodeHeartbeatMs < limits.nodeSilenceMsMax);

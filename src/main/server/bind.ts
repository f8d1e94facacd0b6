import type { BindMany } from '#kube/scheduler';
import type { KubeServer } from '#kube/server';

/** The scheduler's decisions through the server's one door for bindings. */
export function bindThrough(server: KubeServer): BindMany {
  return async (requests) => {
    const results = await server.bindMany(
      requests.map(({ pod, node, claim }) => ({
        namespace: pod.metadata.namespace ?? '',
        name: pod.metadata.name,
        uid: pod.metadata.uid,
        node,
        epoch: claim.epoch,
      })),
    );
    return results.map((result) => {
      if (result.ok) return { ok: true, repeated: false };
      if ('verdict' in result) return result.verdict;
      const { error } = result;
      const reason =
        error.reason === 'NotFound'
          ? 'PodGone'
          : error.reason === 'Conflict'
            ? 'AlreadyBound'
            : 'Failed';
      return { ok: false, reason, message: error.message };
    });
  };
}

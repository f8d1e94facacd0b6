import { X509Certificate } from 'node:crypto';
import type { FaceRequest } from '#base';

/** Whose certificates open the kubelet's API: the API server's, and the cluster's administrators'. */
const users = new Set(['kube-apiserver-kubelet-client']);
const groups = new Set(['system:masters']);

/** Only certificates that TLS verified against the cluster's authority get here. */
export function kubeletAuthorizer(request: FaceRequest): boolean {
  const [leaf] = request.peer.certificates;
  if (leaf === undefined) return false;
  const subject = new X509Certificate(leaf).subject.split('\n').map((line) => line.split('='));
  return subject.some(
    ([key, value = '']) => (key === 'CN' && users.has(value)) || (key === 'O' && groups.has(value)),
  );
}

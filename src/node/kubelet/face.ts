import type { Face } from '#base';
import type { Pod } from '#kube/kinds';
import type { KubeletOptions } from './options.ts';

export function createFace(_about: { options: KubeletOptions; pods: () => readonly Pod[] }): Face {
  return async () => ({ status: 404, headers: {}, body: Buffer.from('404 page not found\n') });
}

import type { Door } from '#apiserver';
import { componentStatuses } from '#kube/kinds';
import type { KubeObject } from '#machinery';
import { notFound } from '#machinery';

/** The parts of a control plane by the names that clients know; here they live in one process. */
const names = ['controller-manager', 'scheduler', 'etcd-0'];

/** Computed at each request: whoever answers runs all of them. */
export function componentStatusDoor(): Door {
  return {
    group: '',
    resource: 'componentstatuses',
    subresource: '',
    handle: (door) => {
      const { name } = door.attributes;
      const items = names.map(componentOf);
      if (name === '') {
        const list = { apiVersion: 'v1', kind: 'ComponentStatusList', metadata: {}, items };
        return Promise.resolve(door.reply(200, list as unknown as KubeObject));
      }
      const found = items.find(({ metadata }) => metadata.name === name);
      if (found === undefined) throw notFound(componentStatuses, name);
      return Promise.resolve(door.reply(200, found as unknown as KubeObject));
    },
  };
}

function componentOf(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name, creationTimestamp: null },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  };
}

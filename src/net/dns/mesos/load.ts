import type { Random } from '#base';
import type { NameSpace } from '../chain.ts';
import type { MesosViewOptions } from './view.ts';

/** The parts of Mesos-DNS; a cluster where nobody asks for its names never loads them. */
export function loadMesosDns(): Promise<typeof import('./all.ts')> {
  return import('./all.ts');
}

/** Mesos-DNS' name space in a chain: loaded, and its objects followed, with the first question. */
export function mesosSpace(options: MesosViewOptions & { readonly random: Random }): NameSpace {
  const { domain } = options.zone;
  let opened: Promise<NameSpace> | undefined;
  const open = async (): Promise<NameSpace> => {
    const { MesosView, mesosNames } = await loadMesosDns();
    return mesosNames({ ...options, view: new MesosView(options) });
  };
  return {
    name: 'mesos',
    async answer(query, transport, bytes) {
      const asked = query.name.toLowerCase();
      if (asked !== domain && !asked.endsWith(`.${domain}`)) return undefined;
      opened ??= open();
      return (await opened).answer(query, transport, bytes);
    },
  };
}

import { hasDuplicates } from './app/unique.ts';
import type { Problem } from './problem.ts';
import type { ModelSettings } from './settings.ts';
import type { Network } from './types.ts';

/** What is wrong with the networks of an app or pod; only the first of these rules is told. */
export function networkProblems(networks: readonly Network[], settings: ModelSettings): Problem[] {
  const problems: Problem[] = [];
  const path = '/networks';
  const texts = [
    ...(networks.some(hostWithNames) ? ['Host networks may not have names or labels'] : []),
    ...(networks.some(({ mode, name }) => mode === 'container/bridge' && name !== undefined)
      ? ['Bridge networks may not have names']
      : []),
    ...(areDuplicate(networks) ? ['Duplicate networks are not allowed'] : []),
    ...(areMixed(networks)
      ? [
          'May specify a single host network, single bridge network, or else 1-to-n container networks',
        ]
      : []),
  ];
  problems.push(...texts.map((text) => ({ path, text })));
  const unnamed = networks.some(({ mode, name }) => mode === 'container' && name === undefined);
  if (unnamed && settings.defaultNetworkName === undefined)
    problems.push({
      path,
      text: 'Network name must be specified when container network is selected.',
    });
  return problems;
}

function hostWithNames({ mode, name, labels }: Network): boolean {
  return mode === 'host' && (name !== undefined || Object.keys(labels ?? {}).length > 0);
}

function areDuplicate(networks: readonly Network[]): boolean {
  const unnamed = networks.filter(({ mode, name }) => mode === 'container' && name === undefined);
  const names = networks.flatMap(({ name }) => (name === undefined ? [] : [name]));
  return unnamed.length > 1 || hasDuplicates(names);
}

function areMixed(networks: readonly Network[]): boolean {
  const count = (wanted: Network['mode']): number =>
    networks.filter(({ mode }) => mode === wanted).length;
  const [host, bridge, container] = [count('host'), count('container/bridge'), count('container')];
  if (container > 0) return host > 0 || bridge > 0;
  return host + bridge > 1;
}

import { builtinKinds, groupFacts, kindFacts, typeTables } from '#kube/kinds';
import { createScheme } from '#machinery';
import type { Scheme } from '#machinery';
import { createCodec } from '#wire';

/** All kinds that this server knows, with their codec. Faces that come later add theirs here. */
export function clusterScheme(): Scheme {
  return createScheme({
    kinds: builtinKinds,
    codec: createCodec(typeTables),
    tables: typeTables,
    groupOrder: groupFacts.map(({ group, preferred, versions }) => ({
      group,
      preferred,
      versions: versions.map(({ version }) => version),
    })),
    bodyTypes: kindFacts.map(({ group, version, kind, type }) => ({
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      type,
    })),
  });
}

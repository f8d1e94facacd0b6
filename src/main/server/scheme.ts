import { builtinKinds, groupFacts, kindFacts, typeTables } from '#kube/kinds';
import { createScheme } from '#machinery';
import type { Scheme, TypeTables } from '#machinery';
import { mesosKinds, mesosTypeTables } from '#mesos/kinds';
import { createCodec } from '#wire';

const tables: TypeTables = {
  type: (name) => typeTables.type(name) ?? mesosTypeTables.type(name),
};

/** All kinds that this server knows, with their codec. Faces that come later add theirs here. */
export function clusterScheme(): Scheme {
  return createScheme({
    kinds: [...builtinKinds, ...mesosKinds],
    codec: createCodec(tables),
    tables,
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

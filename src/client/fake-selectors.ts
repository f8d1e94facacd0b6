import { badRequest, type KubeObject } from '#machinery';

/** Text selectors for the in-memory API: enough of the grammar for what loops send. */
export function labelFilter(text: string | undefined): (object: KubeObject) => boolean {
  if (text === undefined || text === '') return () => true;
  const terms = text.split(/,(?![^(]*\))/).map((term) => labelTerm(term.trim()));
  return (object) => terms.every((matches) => matches(object.metadata.labels ?? {}));
}

function labelTerm(term: string): (labels: Readonly<Record<string, string>>) => boolean {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => {
      const value = labels[key];
      const found = value !== undefined && values.includes(value);
      return operator === 'in' ? found : !found;
    };
  }
  const equal = /^([^=!<>\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (equal !== null) {
    const [, key = '', operator, wanted] = equal;
    return (labels) => (labels[key] === wanted) === (operator !== '!=');
  }
  if (/^![^=\s]+$/.test(term)) return (labels) => labels[term.slice(1)] === undefined;
  if (/^[^=!<>\s]+$/.test(term)) return (labels) => labels[term] !== undefined;
  throw badRequest(`unable to parse requirement: ${term}`);
}

/** Fields are read by their path; an absent one is ''. */
export function fieldFilter(text: string | undefined): (object: KubeObject) => boolean {
  if (text === undefined || text === '') return () => true;
  const terms = text.split(',').map((term) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, path = '', operator, wanted] = match;
    return { path: path.split('.'), equal: operator !== '!=', wanted };
  });
  return (object) =>
    terms.every(({ path, equal, wanted }) => {
      let value: unknown = object;
      for (const name of path)
        value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
      return (String(value ?? '') === wanted) === equal;
    });
}

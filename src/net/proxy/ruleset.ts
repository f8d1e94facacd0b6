/**
 * What the proxy wants of nftables, as data, and the script that turns one state into the next.
 *
 * Chains of rules and elements of maps and sets change; the base chains stay. Every script is one
 * netlink transaction: no packet ever sees half of a change.
 */
export interface RuleSet {
  /** Chain name to its rules, in order. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Map or set name to its elements; the value is '' for sets and a verdict for maps. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Sets that rules fill by themselves (session affinity): name to its definition. */
  readonly dynamicSets: ReadonlyMap<string, string>;
}

export interface TableFrame {
  readonly table: string;
  /** Definitions of the fixed maps, sets and base chains, as the body of a table block. */
  readonly body: string;
}

/** Replaces the whole table in one transaction, whatever was there. */
export function renderAll(frame: TableFrame, wanted: RuleSet): string {
  const { table } = frame;
  // nft 1.0.6 has no `destroy`: adding first makes the delete valid in every case.
  const head = `add table ip ${table}\ndelete table ip ${table}\ntable ip ${table} {\n${frame.body}}\n`;
  return head + renderChange(table, emptyRuleSet, wanted);
}

export const emptyRuleSet: RuleSet = {
  chains: new Map(),
  elements: new Map(),
  dynamicSets: new Map(),
};

/** The commands that lead from `from` to `to`; '' when they are equal. */
export function renderChange(table: string, from: RuleSet, to: RuleSet): string {
  const lines: string[] = [];
  for (const [name, definition] of to.dynamicSets)
    if (!from.dynamicSets.has(name)) lines.push(`add set ip ${table} ${name} { ${definition} }`);
  for (const name of to.chains.keys())
    if (!from.chains.has(name)) lines.push(`add chain ip ${table} ${name}`);
  for (const [name, rules] of to.chains) {
    const before = from.chains.get(name);
    if (before !== undefined && sameRules(before, rules)) continue;
    if (before !== undefined) lines.push(`flush chain ip ${table} ${name}`);
    for (const rule of rules) lines.push(`add rule ip ${table} ${name} ${rule}`);
  }
  for (const name of new Set([...from.elements.keys(), ...to.elements.keys()]))
    lines.push(
      ...elementChanges(`ip ${table} ${name}`, from.elements.get(name), to.elements.get(name)),
    );
  // A chain can go only when nothing points to it any more: empty all first, then delete.
  const gone = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  for (const name of gone) lines.push(`flush chain ip ${table} ${name}`);
  for (const name of gone) lines.push(`delete chain ip ${table} ${name}`);
  for (const name of from.dynamicSets.keys())
    if (!to.dynamicSets.has(name)) lines.push(`delete set ip ${table} ${name}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function elementChanges(
  where: string,
  from: ReadonlyMap<string, string> = new Map(),
  to: ReadonlyMap<string, string> = new Map(),
): string[] {
  const removed = [...from].filter(([key, value]) => to.get(key) !== value).map(([key]) => key);
  const added = [...to]
    .filter(([key, value]) => from.get(key) !== value)
    .map(([key, value]) => (value === '' ? key : `${key} : ${value}`));
  const lines: string[] = [];
  if (removed.length > 0) lines.push(`delete element ${where} { ${removed.join(', ')} }`);
  if (added.length > 0) lines.push(`add element ${where} { ${added.join(', ')} }`);
  return lines;
}

function sameRules(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index]);
}

import { illegalArgument } from './problem.ts';
import type { KVLabels } from './types.ts';

/** Whether labels are selected. */
export type LabelSelector = (labels: KVLabels) => boolean;

const term = /\s*((?:\\.|[-A-Za-z0-9_.])+)/y;
const equality = /\s*(==|!=)/y;
const membership = /\s*(notin|in)\s*\(/y;
const comma = /\s*,/y;
const closing = /\s*\)/y;
const blank = /\s*$/y;

/** `?label=`: `key`, `key==v`, `key!=v`, `key in (a,b)`, `key notin (a,b)`, joined by commas. */
export function parseLabelSelector(text: string): LabelSelector {
  const scanner = new Scanner(text);
  const selectors: LabelSelector[] = [];
  if (scanner.take(blank) !== undefined) return () => true;
  do selectors.push(selector(scanner));
  while (scanner.take(comma) !== undefined);
  if (scanner.take(blank) === undefined) throw scanner.failure('end of input expected');
  return (labels) => selectors.every((one) => one(labels));
}

function selector(scanner: Scanner): LabelSelector {
  const key = scanner.term();
  const set = scanner.take(membership);
  if (set !== undefined) {
    const values = setValues(scanner);
    return withValue(key, (value) => values.includes(value) === (set === 'in'));
  }
  const operator = scanner.take(equality);
  if (operator === undefined) return withValue(key, () => true);
  const wanted = scanner.term();
  return withValue(key, (value) => (value === wanted) === (operator === '=='));
}

function setValues(scanner: Scanner): string[] {
  const values: string[] = [];
  if (scanner.take(closing) !== undefined) return values;
  do values.push(scanner.term());
  while (scanner.take(comma) !== undefined);
  if (scanner.take(closing) === undefined) throw scanner.failure("')' expected");
  return values;
}

/** Without the label nothing is selected, not even by `!=`. */
function withValue(key: string, test: (value: string) => boolean): LabelSelector {
  return (labels) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return value !== undefined && test(value);
  };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first group of the pattern if it is what comes next. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? '';
  }

  term(): string {
    const raw = this.take(term);
    if (raw === undefined) throw this.failure('a label or value expected');
    return raw.replaceAll(/\\(.)/g, '$1');
  }

  failure(expected: string): Error {
    const rest = this.#text.slice(this.#at).trimStart();
    const found = rest === '' ? 'end of source' : `'${rest.charAt(0)}'`;
    return illegalArgument(
      `Can not parse label selector ${this.#text}. Reason: ${expected} but ${found} found`,
    );
  }
}

/** What answers about apps may carry besides the app. */
export type AppEmbed =
  | 'tasks'
  | 'counts'
  | 'deployments'
  | 'readiness'
  | 'lastTaskFailure'
  | 'taskStats';

const embeds: Readonly<Record<string, readonly AppEmbed[]>> = {
  tasks: ['tasks', 'deployments'],
  failures: ['tasks', 'lastTaskFailure', 'deployments'],
  deployments: ['deployments'],
  readiness: ['readiness'],
  lastTaskFailure: ['lastTaskFailure'],
  counts: ['counts'],
  taskStats: ['taskStats'],
};

/** `?embed=` of apps: values that nobody knows are ignored. */
export function appEmbeds(values: readonly string[]): Set<AppEmbed> {
  const names = values.map((value) => value.replace(/^(?:group\.apps\.|apps\.|app\.)/, ''));
  return new Set(
    names.flatMap((name) => (Object.hasOwn(embeds, name) ? (embeds[name] ?? []) : [])),
  );
}

export type GroupEmbed = 'groups' | 'apps' | 'pods';

const groupEmbedNames: Readonly<Record<string, GroupEmbed>> = {
  'group.groups': 'groups',
  'group.apps': 'apps',
  'group.pods': 'pods',
};

/** `?embed=` of groups: without any all three, and of the apps nothing more. */
export function groupEmbeds(values: readonly string[]): {
  readonly apps: ReadonlySet<AppEmbed>;
  readonly group: ReadonlySet<GroupEmbed>;
} {
  if (values.length === 0) return { apps: new Set(), group: new Set(['groups', 'apps', 'pods']) };
  const ofApps = values.filter((value) => value.startsWith('group.apps.'));
  const ofGroup = values.flatMap((value) =>
    Object.hasOwn(groupEmbedNames, value) ? (groupEmbedNames[value] ?? []) : [],
  );
  return { apps: appEmbeds(ofApps), group: new Set(ofGroup) };
}

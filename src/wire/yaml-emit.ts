/**
 * YAML text of a JSON value as sigs.k8s.io/yaml writes it: keys sorted, two spaces, lists not
 * indented below their key, strings quoted only where a reader would take them for something else.
 */
export function encodeYaml(value: unknown): string {
  if (isContainer(value) && !isEmpty(value)) return `${block(value, '').join('\n')}\n`;
  return `${scalarText(value, '')}\n`;
}

type Container = Readonly<Record<string, unknown>> | readonly unknown[];

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
function isEmpty(value: Container): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function block(value: Container, indent: string): string[] {
  return Array.isArray(value)
    ? value.flatMap((item) => itemLines(item, indent))
    : mapLines(value as Readonly<Record<string, unknown>>, indent);
}

function itemLines(item: unknown, indent: string): string[] {
  if (!isContainer(item) || isEmpty(item)) return [`${indent}- ${scalarText(item, indent)}`];
  const lines = block(item, `${indent}  `);
  const first = lines[0] ?? '';
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...lines.slice(1)];
}

function mapLines(value: Readonly<Record<string, unknown>>, indent: string): string[] {
  const lines: string[] = [];
  for (const key of Object.keys(value).sort(compareKeys)) {
    const one = value[key];
    if (one === undefined) continue;
    const head = indent + keyText(key, indent);
    if (!isContainer(one) || isEmpty(one)) lines.push(`${head} ${scalarText(one, indent)}`);
    else if (Array.isArray(one)) lines.push(head, ...block(one, indent));
    else lines.push(head, ...block(one, `${indent}  `));
  }
  return lines;
}

/** A reader takes `key:` only on one line and up to 1,024 characters: others are marked by `?`. */
function keyText(key: string, indent: string): string {
  const text = key.includes('\n') ? doubleQuoted(key) : stringText(key, '');
  return text.length > 128 ? `? ${text}\n${indent}:` : `${text}:`;
}

/** go-yaml's order: runs of digits by number, letters after everything else. */
function compareKeys(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] ?? '';
    const y = right[i] ?? '';
    if (x === y) continue;
    const xLetter = isLetter(x);
    const yLetter = isLetter(y);
    if (xLetter && yLetter) return x < y ? -1 : 1;
    if (xLetter || yLetter) {
      return xLetter ? 1 : -1;
    }
    const numbers = compareNumbers(left, right, i);
    return numbers !== 0 ? numbers : x < y ? -1 : 1;
  }
  return left.length - right.length;
}
function compareNumbers(left: readonly string[], right: readonly string[], from: number): number {
  const a = digitRun(left, from);
  const b = digitRun(right, from);
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
function digitRun(text: readonly string[], from: number): string {
  let end = from;
  while (isDigit(text[end] ?? '')) end++;
  return text.slice(from, end).join('');
}
function isDigit(text: string): boolean {
  return text >= '0' && text <= '9' && text.length === 1;
}
function isLetter(text: string): boolean {
  return /^\p{L}$/u.test(text);
}

function scalarText(value: unknown, indent: string): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return stringText(value, `${indent}  `);
  return Array.isArray(value) ? '[]' : '{}';
}
function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(value).replace(/e([-+])(\d)$/, 'e$10$2');
}

/** `indent` is where a block of the string's lines would stand. */
function stringText(text: string, indent: string): string {
  if (text === '') return '""';
  if (readsAsOther(text)) return JSON.stringify(text);
  if (text.includes('\n')) return multiLine(text, indent);
  if (needsDouble(text)) return doubleQuoted(text);
  if (plainAllowed(text)) return text;
  return `'${text.replaceAll("'", "''")}'`;
}

const words = new Set(
  (
    'y Y yes Yes YES on On ON n N no No NO off Off OFF true True TRUE false False FALSE ' +
    '~ null Null NULL .nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF << ='
  ).split(' '),
);
/** Plain, a reader would take these for a boolean, null, number or date. */
function readsAsOther(text: string): boolean {
  if (words.has(text)) return true;
  if (!/^[-+.0-9]/.test(text)) return false;
  const plain = text.replaceAll('_', '');
  if (/^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+)$/.test(plain)) return true;
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(plain)) return true;
  // Base 60 of YAML 1.1, which this go-yaml quotes for the sake of other readers.
  if (/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)) return true;
  return /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ]\d{1,2}:\d{1,2}:\d{1,2})/.test(text);
}
function needsDouble(text: string): boolean {
  return /[^\x09\x20-\x7e\x85\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]|\ufeff/u.test(
    text,
  );
}
function doubleQuoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\u00a0\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
function plainAllowed(text: string): boolean {
  if (/^\s|\s$/.test(text) || text.includes('\t')) return false;
  if (/^[,[\]{}#&*!|>'"%@`]/.test(text)) return false;
  if (/^[-?:](?:\s|$)/.test(text)) return false;
  if (text.startsWith('---') || text.startsWith('...')) return false;
  return !/: |:$| #/.test(text);
}
function multiLine(text: string, indent: string): string {
  // Blanks at the start or before a line's end would not survive a block.
  if (needsDouble(text.replaceAll('\n', '')) || /^[\s]|[ \t](?:\n|$)/.test(text))
    return doubleQuoted(text);
  const body = text.replace(/\n+$/, '');
  const ending = text.slice(body.length);
  const chomp = ending === '' ? '-' : ending === '\n' && body !== '' ? '' : '+';
  const lines = body.split('\n').map((line) => (line === '' ? '' : indent + line));
  const extra = chomp === '+' ? '\n'.repeat(Math.max(ending.length - 1, 0)) : '';
  return `|${chomp}\n${lines.join('\n')}${extra}`;
}

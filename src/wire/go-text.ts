/** JSON as Go's encoder writes it: `<`, `>`, `&`, U+2028 and U+2029 are escaped inside strings. */
export function goJson(value: unknown): string {
  return escapeGo(JSON.stringify(value) ?? 'null');
}

const escapable = /[<>&\u2028\u2029]/;
const escapables = /[<>&\u2028\u2029]/g;
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** These characters can only stand inside strings of a JSON text, so the whole may be escaped. */
export function escapeGo(json: string): string {
  return escapable.test(json)
    ? json.replace(escapables, (character) => escapes[character] ?? character)
    : json;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A string as Go's `%q` (strconv.Quote) prints it. */
export function goQuote(text: string): string {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const character of text) {
    const simple = simpleEscapes[character];
    if (simple !== undefined) quoted += simple;
    else if (isGoPrint(character)) quoted += character;
    else quoted += hexEscape(character.codePointAt(0) ?? 0);
  }
  return `${quoted}"`;
}

function hexEscape(code: number): string {
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isGoPrint(character: string): boolean {
  return character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);
}

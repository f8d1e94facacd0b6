/** What Go's encoding/json says of a text that should be an object; undefined when it is one. */
export function jsonObjectProblem(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return 'unexpected end of JSON input';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return syntaxText(trimmed, error);
  }
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined;
  return `json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function syntaxText(text: string, error: unknown): string {
  const first = text.charAt(0);
  if (!/[[{"0-9tfn-]/.test(first))
    return `invalid character '${first}' looking for beginning of value`;
  const message = error instanceof Error ? error.message : '';
  if (/end of JSON input|Unterminated|end of data/i.test(message))
    return 'unexpected end of JSON input';
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
  return `invalid character '${text.charAt(position)}' after top-level value`;
}

/** The elements of a JSON array of objects, or what is wrong with the text. */
export function jsonArrayOf(text: string): readonly object[] | string {
  if (text === '') return 'unexpected end of JSON input';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : 'invalid JSON';
  }
  if (!Array.isArray(value)) return `json: cannot unmarshal ${typeof value} into a list`;
  return value.filter((one): one is object => typeof one === 'object' && one !== null);
}

/** A YAML document of a JSON value; the library is loaded when somebody first asks for YAML. */
export async function yamlOf(value: unknown): Promise<Uint8Array> {
  const { dump } = await import('js-yaml');
  return Buffer.from(dump(value, { noRefs: true, lineWidth: -1 }));
}

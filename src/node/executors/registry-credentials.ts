import type { SandboxFiles } from '#io';

/** A configuration of a docker client is small; what is larger is none. */
const bytesMax = 1024 * 1024;

/**
 * What a task fetched to be let in by a registry, as docker looks for it with the sandbox as home:
 * `.docker/config.json`, else the older `.dockercfg`. Only files of the sandbox itself count, and
 * what cannot be read as a configuration is none.
 */
export async function registryCredentials(
  files: SandboxFiles,
  directory: string,
): Promise<readonly unknown[]> {
  const config = await documentAt(files, directory, '.docker/config.json');
  if (config !== undefined) return [config];
  const old = await documentAt(files, directory, '.dockercfg');
  return old === undefined ? [] : [{ auths: old }];
}

async function documentAt(files: SandboxFiles, directory: string, name: string): Promise<unknown> {
  const path = await files.realPath(`${directory}/${name}`);
  if (path === undefined || path !== `${await files.realPath(directory)}/${name}`) return undefined;
  const facts = await files.facts(path);
  if (facts === undefined || facts.size > bytesMax) return undefined;
  const text = await files.readText(path);
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

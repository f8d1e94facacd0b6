import { createReadStream } from 'node:fs';
import { CommandError, UsageError, exitCodes, formatBytes, table } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { createLogger, systemClock } from '#io';
import { ImageError, openImages } from '#node/runtime';
import type { Image, Images } from '#node/runtime';
import { located } from './locate.ts';
import { nodePaths } from './node-paths.ts';

/** `tandem image load|ls|rm`: works on the cluster's content store, with or without agents. */
export async function image(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  if (!config.root)
    throw new CommandError('this cluster was started without root: it has no nodes and no images');
  const [action, ...names] = command.arguments;
  const images = await openImages({
    imageDir: nodePaths(config, 0).imageDir,
    cluster: config.name,
    node: 'tandem-image',
    clock: systemClock,
    logger: createLogger({ fd: 2, level: 'warn' }),
  });
  try {
    if (action === 'load') return await load(images, names, terminal);
    if (action === 'ls') return await list(images, command, terminal);
    if (action === 'rm') return await remove(images, names, terminal);
  } catch (error) {
    if (error instanceof ImageError) throw new CommandError(error.message, { cause: error });
    throw error;
  } finally {
    await images[Symbol.asyncDispose]();
  }
  throw new UsageError('image needs load, ls or rm; "tandem help image" explains them');
}

async function load(images: Images, files: readonly string[], terminal: Terminal): Promise<number> {
  if (files.length === 0) throw new UsageError('image load needs a FILE, or - for standard input');
  for (const file of files) {
    const stream = file === '-' ? process.stdin : createReadStream(file);
    let loaded: readonly Image[];
    try {
      loaded = await images.load(stream);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && file !== '-')
        throw new CommandError(`there is no file ${file}`);
      throw error;
    }
    for (const { names, id } of loaded) terminal.out(`Loaded ${names.join(', ') || id}\n`);
  }
  return exitCodes.ok;
}

async function list(images: Images, command: ParsedCommand, terminal: Terminal): Promise<number> {
  const all = await images.list();
  if (command.text('output') === 'json') {
    const rows = all.map(({ id, names, digests, bytes, loaded }) => ({
      id,
      names,
      digests,
      bytes,
      loaded,
    }));
    terminal.out(`${JSON.stringify(rows, undefined, 2)}\n`);
    return exitCodes.ok;
  }
  const rows = all.flatMap(({ id, names, bytes, loaded }) =>
    (names.length === 0 ? ['<none>'] : names).map((name) => [
      name,
      id.replace('sha256:', '').slice(0, 12),
      formatBytes(bytes),
      loaded ? 'loaded' : 'pulled',
    ]),
  );
  terminal.out(table([['IMAGE', 'ID', 'SIZE', 'CAME BY'], ...rows]));
  return exitCodes.ok;
}

async function remove(
  images: Images,
  names: readonly string[],
  terminal: Terminal,
): Promise<number> {
  if (names.length === 0) throw new UsageError('image rm needs an IMAGE');
  for (const name of names) {
    if ((await images.resolve(name)) === undefined)
      throw new CommandError(`there is no image "${name}"`);
    await images.remove(name);
    terminal.out(`Removed ${name}\n`);
  }
  return exitCodes.ok;
}

import type { Files } from '#io';

/**
 * When the end of a deleted Pod began. It is kept as the name of a file, so that an agent that was
 * restarted meanwhile does not grant the whole grace again.
 */
export async function endingSince(files: Files, podDir: string, nowMs: number): Promise<number> {
  const dir = `${podDir}/ending`;
  const known = (await files.list(dir)).map(Number).find((ms) => Number.isFinite(ms));
  if (known !== undefined) return Math.min(known, nowMs);
  await files.makeDir(dir, 0o750);
  await files.createFile(`${dir}/${nowMs}`, 0o640);
  return nowMs;
}

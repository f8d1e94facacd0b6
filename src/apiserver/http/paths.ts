import type { FaceReply } from '#base';
import type { HealthCheck, VersionInfo } from '../server-types.ts';
import type { Context, Handler } from './context.ts';
import { textReply } from './status-reply.ts';

export type HealthEndpoint = 'livez' | 'readyz' | 'healthz';

/** `/livez`, `/readyz`, `/healthz`, each with `?verbose`, `?exclude=` and `/<check>` (healthz package). */
export function healthReply(
  endpoint: HealthEndpoint,
  checks: readonly HealthCheck[],
  { info }: Pick<Context, 'info'>,
): FaceReply {
  const mine = checks.filter((check) => check.endpoints.includes(endpoint));
  const single = info.path.slice(endpoint.length + 2);
  if (single !== '') {
    const check = mine.find(({ name }) => name === single);
    if (check === undefined) return textReply(404, '404 page not found\n');
    const problem = check.check();
    return problem === undefined
      ? textReply(200, 'ok')
      : textReply(500, `internal server error: ${problem}\n`);
  }
  const excluded = new Set(info.query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const check of mine) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const problem = check.check();
    if (problem !== undefined) failed = true;
    const reason = check.tellsReason === true ? problem : 'reason withheld';
    lines.push(
      problem === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${reason}`,
    );
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed) return textReply(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
  if (!info.query.has('verbose')) return textReply(200, 'ok');
  return textReply(200, `${lines.join('\n')}\n${endpoint} check passed\n`);
}

/** `/version`: keys in the order of the reference, indented. */
export function versionHandler(version: VersionInfo): Handler {
  const { major, minor, gitVersion, gitCommit, gitTreeState } = version;
  const { buildDate, goVersion, compiler, platform } = version;
  const ordered = {
    major,
    minor,
    gitVersion,
    gitCommit,
    gitTreeState,
    buildDate,
    goVersion,
    compiler,
    platform,
  };
  const body = Buffer.from(JSON.stringify(ordered, undefined, 2));
  return async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body });
}

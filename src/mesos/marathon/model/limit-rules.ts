import { doubleText } from '#mesos/protocol';
import { type Problem, below } from './problem.ts';
import type { ResourceLimits } from './types.ts';

/** Limits are `unlimited` or no less than what is asked for. */
export function limitProblems(
  limits: ResourceLimits | undefined,
  asked: { readonly cpus: number; readonly mem: number },
): Problem[] {
  if (limits === undefined) return [];
  return below('/resourceLimits', [
    ...oneLimit('/cpus', limits.cpus, asked.cpus),
    ...oneLimit('/mem', limits.mem, asked.mem),
  ]);
}

function oneLimit(path: string, limit: string | number | undefined, asked: number): Problem[] {
  if (limit === undefined || limit === 'unlimited') return [];
  if (typeof limit === 'string') {
    const text = `'${limit}' is an invalid resource limit. It must be 'unlimited' or a number`;
    return [{ path, text }];
  }
  if (limit >= asked) return [];
  const text = 'resource limit must be greater than or equal to requested resource';
  return [{ path, text: `${text} (${doubleText(asked)})` }];
}

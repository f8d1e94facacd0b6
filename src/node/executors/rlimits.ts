import type { ContainerInfo, Parameter, RLimitInfoRLimit } from '#mesos/protocol';
import type { ProcessLimit } from '#node/runtime';

/**
 * Limits of a container's processes: `rlimit_info`, or docker's `--ulimit`. Throws in the words of
 * the reference (posix/rlimits.cpp), whose containers fail to launch then.
 */
export function processLimits(container: ContainerInfo | undefined): readonly ProcessLimit[] {
  const asked = (container?.rlimit_info?.rlimits ?? []).map(limitOf);
  const parameters = container?.type === 'DOCKER' ? (container.docker?.parameters ?? []) : [];
  const ulimits = parameters.filter(({ key }) => key.replace(/^-+/, '') === 'ulimit');
  // What is said last counts, as with every call of setrlimit(2).
  const all = new Map([...asked, ...ulimits.map(ulimitOf)].map((limit) => [limit.type, limit]));
  return [...all.values()];
}

function limitOf({ type = 'UNKNOWN', soft, hard }: RLimitInfoRLimit): ProcessLimit {
  const fail = (why: string): never => {
    throw new Error(`Failed to set ${type} limit: ${why}`);
  };
  if (type === 'UNKNOWN') return fail('Could not convert rlimit: Unknown rlimit type');
  if ((soft === undefined) !== (hard === undefined)) return fail('Invalid rlimit values');
  if (soft !== undefined && hard !== undefined && soft > hard) return fail('Invalid argument');
  return { type: type.replace('RLMT_', 'RLIMIT_'), soft, hard };
}

/** `nofile=1024:2048`; one number is both, -1 is no limit. */
function ulimitOf({ value }: Parameter): ProcessLimit {
  const [, name = '', soft = '', hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? [];
  const number = (text: string): number | undefined => (text === '-1' ? undefined : Number(text));
  return { type: `RLIMIT_${name.toUpperCase()}`, soft: number(soft), hard: number(hard) };
}

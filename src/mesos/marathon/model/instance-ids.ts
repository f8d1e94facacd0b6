import type { Random } from '#base';
import { safeID } from './ids.ts';

/** Tasks of apps have this in the place of a container's name. */
const appContainerName = '_app';

/** `<a_b>.instance-<uuid>` with a UUID of version 1: time, then chance. */
export function newInstanceID(
  runSpecID: string,
  { nowMs, random }: { readonly nowMs: number; readonly random: Random },
): string {
  return `${safeID(runSpecID)}.instance-${timeUUID(nowMs, random)}`;
}

/** Milliseconds between 1582-10-15, when such times begin, and 1970. */
const gregorianOffsetMs = 12_219_292_800_000;

function timeUUID(nowMs: number, random: Random): string {
  const ticks = BigInt(nowMs + gregorianOffsetMs) * 10_000n + BigInt(random.below(10_000));
  const time = ticks.toString(16).padStart(15, '0').slice(-15);
  const sequence = (0x8000 | random.below(0x4000)).toString(16);
  const node = Buffer.from(random.bytes(6));
  // A node that is no address of a card has its multicast bit set (RFC 4122, 4.5).
  node[0] = (node[0] ?? 0) | 1;
  return [
    time.slice(7),
    time.slice(3, 7),
    `1${time.slice(0, 3)}`,
    sequence,
    node.toString('hex'),
  ].join('-');
}

/** `<instance>._app.<incarnation>`, for pods `<instance>.<container>.<incarnation>`. */
export function taskIDOf(instanceID: string, incarnation: number, container?: string): string {
  return `${instanceID}.${container ?? appContainerName}.${incarnation}`;
}

/** `instance-<a_b>.<uuid>`. */
export function executorIDOf(instanceID: string): string {
  const match = /^(.+)\.(instance-|marathon-)([^.]+)$/.exec(instanceID);
  return match === null ? instanceID : `${match[2]}${match[1]}.${match[3]}`;
}

/** The instance that an executor of this id belongs to; undefined when it is none of Marathon's pods. */
export function instanceIDOfExecutor(executorID: string): string | undefined {
  const match = /^(instance-|marathon-)(.+)\.([^.]+)$/.exec(executorID);
  return match === null ? undefined : `${match[2]}.${match[1]}${match[3]}`;
}

export interface ParsedTaskID {
  readonly runSpecID: string;
  readonly instanceID: string;
  /** Of pods. */
  readonly container?: string | undefined;
  readonly incarnation?: number | undefined;
}

const withIncarnation = /^(.+)\.(instance-|marathon-)([^_.]+)[._]([^.]+)\.(\d+)$/;
const withoutIncarnation = /^(.+)\.(instance-|marathon-)([^_.]+)[._]([^.]+)$/;
const legacy = /^(.+)([._])([^_.]+?)(?:\.(\d+))?$/;

function runSpecIDOf(safe: string): string {
  return `/${safe.split('_').join('/')}`;
}

/** What an id of a task says, also of those of older versions; undefined when it is none. */
export function parseTaskID(taskID: string): ParsedTaskID | undefined {
  const match = withIncarnation.exec(taskID) ?? withoutIncarnation.exec(taskID);
  if (match !== null) {
    const [, safe = '', prefix = '', uuid = '', name = '', incarnation] = match;
    const isApp = name === appContainerName || name === appContainerName.slice(1);
    return {
      runSpecID: runSpecIDOf(safe),
      instanceID: `${safe}.${prefix}${uuid}`,
      ...(isApp ? {} : { container: name }),
      ...(incarnation === undefined ? {} : { incarnation: Number(incarnation) }),
    };
  }
  const old = legacy.exec(taskID);
  if (old === null) return undefined;
  const [, safe = '', , uuid = '', attempt] = old;
  return {
    runSpecID: runSpecIDOf(safe),
    instanceID: `${safe}.marathon-${uuid}`,
    ...(attempt === undefined ? {} : { incarnation: Number(attempt) }),
  };
}

/** The run spec an instance belongs to by its id; undefined when it is none. */
export function runSpecIDOfInstance(instanceID: string): string | undefined {
  const match = /^(.+)\.(instance-|marathon-)([^.]+)$/.exec(instanceID);
  return match === null ? undefined : runSpecIDOf(match[1] ?? '');
}

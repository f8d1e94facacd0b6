import type { Cancel, Clock } from '#base';
import type { Condition, Instance } from '../model/index.ts';
import { instanceIDOfExecutor, parseTaskID } from '../model/index.ts';
import type { Tracker } from './tracker.ts';
import { hasLiveTasks } from './transitions.ts';

/**
 * Executors of pods whose tasks have all ended. They end too, a moment later, and until then the master
 * refuses the instance's next launch there: its executor has the same id and other ports.
 */
export interface Lingering {
  /** May it not be launched on this agent yet; or, without one, on some agent? */
  has(instanceID: string, agentID?: string): boolean;
  /** The master tells that an executor ended. */
  ended(executorID: string): void;
  stop(): void;
}

/** The master may have told of an executor's end while nobody listened. */
const lingerMsMax = 3_000;

export function createLingering(
  { clock, tracker }: { readonly clock: Clock; readonly tracker: Tracker },
  over: (instance: Instance) => void,
): Lingering {
  /** By instance. */
  const known = new Map<string, { readonly agentID: string; readonly cancel: Cancel }>();
  /** Instances whose executor ended before the end of all tasks was heard of. */
  const early = new Set<string>();
  const forget = (instanceID: string): void => {
    const found = known.get(instanceID);
    if (found === undefined) return;
    found.cancel();
    known.delete(instanceID);
    const instance = tracker.get(instanceID);
    if (instance !== undefined) over(instance);
  };
  tracker.onChange(({ id, old, now }) => {
    const agentID = now?.agent?.agentID;
    if (now === undefined || agentID === undefined) {
      early.delete(id);
      forget(id);
    } else if (old !== undefined && hasExecutor(old) && !hasLiveTasks(now)) {
      if (early.delete(id)) return;
      known.get(id)?.cancel();
      known.set(id, { agentID, cancel: clock.after(lingerMsMax, () => forget(id)) });
    }
  });
  return {
    has(instanceID, agentID) {
      const found = known.get(instanceID);
      return found !== undefined && (agentID === undefined || found.agentID === agentID);
    },
    ended(executorID) {
      const id = instanceIDOfExecutor(executorID);
      const instance = id === undefined ? undefined : tracker.get(id);
      if (id === undefined || instance === undefined) return;
      if (hasLiveTasks(instance)) early.add(id);
      else forget(id);
    },
    stop() {
      for (const { cancel } of known.values()) cancel();
      known.clear();
    },
  };
}

const begun: ReadonlySet<Condition> = new Set(['Starting', 'Running', 'Killing']);

/** A pod's, one of whose tasks it started. */
function hasExecutor({ tasks }: Instance): boolean {
  return (
    tasks.some(({ condition }) => begun.has(condition)) &&
    parseTaskID(tasks[0]?.taskID ?? '')?.container !== undefined
  );
}

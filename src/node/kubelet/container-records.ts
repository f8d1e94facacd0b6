import type { Container } from '#node/runtime';
import { Backoff } from './backoff.ts';
import type { Waiting } from './container-status.ts';
import { goDuration } from './quantity.ts';

/** What is remembered of one container beside what the runtime and the API know. */
export interface ContainerRecord {
  readonly backoff: Backoff;
  /** The ended container the last start replaced: its back-off has been counted. */
  replaced: string | undefined;
  waiting: Waiting | undefined;
  notBeforeMs: number;
  starting: boolean;
}

// MaxContainerBackOff and the initial back-off of k8s kubelet/kubelet.go.
const restartBackoff = { firstMs: 10_000, maxMs: 300_000 };

/** Records of one Pod's containers, by name. */
export class ContainerRecords {
  readonly #records = new Map<string, ContainerRecord>();

  of(name: string): ContainerRecord {
    const known = this.#records.get(name);
    if (known !== undefined) return known;
    const record: ContainerRecord = {
      backoff: new Backoff(restartBackoff),
      replaced: undefined,
      waiting: undefined,
      notBeforeMs: 0,
      starting: false,
    };
    this.#records.set(name, record);
    return record;
  }

  get(name: string): ContainerRecord | undefined {
    return this.#records.get(name);
  }

  values(): Iterable<ContainerRecord> {
    return this.#records.values();
  }

  starting(): boolean {
    return [...this.#records.values()].some(({ starting }) => starting);
  }

  /** Until when the successor of `last` has to wait; undefined: it may start, and that is counted. */
  backOff(
    last: Container,
    about: { readonly nowMs: number; readonly pod: string },
  ): { readonly atMs: number; readonly fresh: boolean } | undefined {
    const { name } = last.spec;
    const record = this.of(name);
    const endedMs = last.finishedMs ?? last.createdMs;
    const until = record.backoff.until(endedMs);
    if (until === undefined || until.atMs <= about.nowMs) {
      record.backoff.next(endedMs, about.nowMs);
      record.replaced = last.id;
      return undefined;
    }
    const message = `back-off ${goDuration(until.waitMs)} restarting failed container=${name} pod=${about.pod}`;
    const fresh = record.waiting?.message !== message;
    record.waiting = { reason: 'CrashLoopBackOff', message };
    return { atMs: until.atMs, fresh };
  }
}

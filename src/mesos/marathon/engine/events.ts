import type { Cancel, Clock } from '#base';

/** One event of `/v2/events`, encoded once for all streams. */
export interface MarathonEvent {
  readonly type: string;
  /** The frame's `data`: JSON on one line. */
  readonly json: string;
}

/** What happens, for whoever listens. Nobody listening costs nothing: payloads are made lazily. */
export interface EventBus {
  /** `fields` is called only when somebody listens. */
  publish(type: string, fields: () => Readonly<Record<string, unknown>>): void;
  listen(listener: (event: MarathonEvent) => void): Cancel;
  readonly listeners: number;
}

export function createEventBus(clock: Clock): EventBus {
  const listeners = new Set<(event: MarathonEvent) => void>();
  return {
    publish(type, fields) {
      if (listeners.size === 0) return;
      const timestamp = new Date(clock.nowMs()).toISOString();
      const event = { type, json: JSON.stringify({ ...fields(), eventType: type, timestamp }) };
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    get listeners() {
      return listeners.size;
    },
  };
}

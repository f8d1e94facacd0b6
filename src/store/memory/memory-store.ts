import { type Clock, type Logger, silentLogger } from '#base';
import { LogStore } from '../log-store.ts';
import type { Store } from '../store.ts';
import { MemoryBackend } from './memory-backend.ts';

/** A store that forgets everything with its process. */
export function openMemoryStore(options: {
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}): Store {
  const { clock, logger = silentLogger } = options;
  return new LogStore({ backend: new MemoryBackend(), clock, logger });
}

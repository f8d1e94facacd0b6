import { createSimClock } from '#sim';
import { storeContract } from '../contract.test.ts';
import { openMemoryStore } from './memory-store.ts';

storeContract('memory', async () => {
  const clock = createSimClock();
  const store = openMemoryStore({ clock });
  return { store, clock, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
});

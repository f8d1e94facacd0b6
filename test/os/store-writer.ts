/**
 * A process to be killed: writes to the store at the path given and prints a line for each write
 * after it was acknowledged. The third argument `keeping` leaves all history in place.
 * Each commit writes a key and its twin, so that half a commit shows.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '#io';
import { openSqliteStore } from '#store';

const [path = '', life = '0', compacting = 'compacting'] = process.argv.slice(2);
const store = await openSqliteStore({ path, clock: systemClock });
print('open\n');

/** A pipe whose reader is slow says so: the line must come out before the next write is begun. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

async function client(index: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const text = `${life}.${index}.${turn}`;
    const value = Buffer.from(`${text} ${'x'.repeat((turn * 37) % 3000)}`);
    const key = `/c${index}/${turn % 20}`;
    const result = await store.commit([
      { key, value },
      { key: `/twin${key}`, value },
    ]);
    if (!result.ok) throw new Error('refused');
    print(`${key} ${text}\n`);
    if (compacting === 'compacting' && turn % 50 === 49 && index === 0)
      await store.compact(store.revision - 100);
  }
}
await Promise.all(Array.from({ length: 16 }, (_, index) => client(index)));

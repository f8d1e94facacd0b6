/**
 * An agent to be killed: opens a runtime on the options given as JSON and starts Pods until it dies.
 * Prints a line when it is open and one per Pod.
 */
import { silentLogger } from '#base';
import { systemClock } from '#io';
import { openOciRuntime } from '#node/runtime';
import type { RuntimeOptions } from '#node/runtime';
import { containerSpec, sandboxSpec } from './runtime-kit.ts';

const plain: Omit<RuntimeOptions, 'clock' | 'logger'> = JSON.parse(process.argv[2] ?? '{}');
const runtime = await openOciRuntime({ ...plain, clock: systemClock, logger: silentLogger });
console.log('open');
const image = await runtime.images.resolve('box:1');
const startOne = async (): Promise<void> => {
  for (;;) {
    const sandbox = await runtime.createSandbox(sandboxSpec(), new AbortController().signal);
    const spec = containerSpec(plain.dataDir, {
      imageId: image?.id,
      command: ['/bin/sleep', '999'],
    });
    const container = await runtime.createContainer(sandbox.id, spec);
    await runtime.startContainer(container.id);
    console.log('started');
  }
};
await Promise.all([startOne(), startOne(), startOne()]);

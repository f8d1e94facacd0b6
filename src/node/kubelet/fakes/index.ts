/** What a kubelet stands on, in memory: for simulations of whole clusters. */
export { FakeFiles } from '../fake-files.ts';
export { FakeRuntime } from '../fake-runtime.ts';
export type { FakeRuntimeOptions, Program } from '../fake-runtime.ts';

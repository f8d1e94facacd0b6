/** What a Mesos agent stands on, in memory: for simulations of whole clusters. */
export { FakeSandboxFiles, fakeFetchTools } from '../fake-files.ts';

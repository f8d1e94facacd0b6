/**
 * The table of budgets (DESIGN.md, section 6), in its order, as far as what it measures exists.
 *
 * To add a line: its name, what it is, the budget as the design has it, and what measures it.
 */
import { allocationCycle } from './allocator-line.ts';
import { createToBound } from './bound.ts';
import { hollowNodes } from './hollow-line.ts';
import type { Line } from './line.ts';
import { mesosIdle } from './mesos-idle.ts';
import { masterState } from './mesos-state.ts';
import { launches, marathonApps } from './mesos.ts';
import { statusUpdates } from './mesos-updates.ts';
import { freshMemory, memoryAfterChurn, memoryFull } from './memory.ts';
import { schedulerCore } from './scheduler-line.ts';
import { coldStart, idle, ups } from './startup.ts';
import { suite } from './suite.ts';

const bySeconds = ({ seconds }: { readonly seconds: number }): readonly string[] => [
  '--seconds',
  String(seconds),
];
const configMap = 'create ConfigMap';
const createPod = 'create Pod';
const getOne = 'get one object';
const listPage = 'list a page';
const listSelected = 'by a label selector';
const watchers = '100 watchers';

/** A line of `apiserver.ts`, which measures only what `text` is in. */
const apiserver = (text: string, pick: Parameters<typeof suite>[0]['pick']) =>
  suite({
    program: 'apiserver.ts',
    args: (context) => [...bySeconds(context), '--only', text],
    pick,
  });

const antiAffinity = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          topologyKey: 'kubernetes.io/hostname',
          labelSelector: { matchLabels: { app: 'bench' } },
        },
      ],
    },
  },
};

export const lines: readonly Line[] = [
  {
    name: 'cold-start',
    what: 'server, empty data directory: process start to ready API',
    budget: { ready: { unit: 'ms', atMost: 500 } },
    repeat: 5,
    run: coldStart,
  },
  {
    name: 'up',
    what: '`tandem up` as typed: first to ready API and to its end; second to Ready; `get pods`',
    budget: {
      'second-up': { unit: 'ms', atMost: 1000 },
      'first-up-api': { unit: 'ms' },
      'first-up': { unit: 'ms' },
      'get-pods': { unit: 'ms', atMost: 250 },
    },
    repeat: 3,
    run: ups,
  },
  {
    name: 'memory-fresh',
    what: 'control plane memory, empty cluster, fresh',
    budget: { resident: { unit: 'MB', atMost: 130 } },
    repeat: 3,
    run: freshMemory,
  },
  {
    name: 'memory-churn',
    what: 'control plane memory, empty cluster, after 100,000 creates and deletes',
    budget: { resident: { unit: 'MB', atMost: 200 } },
    repeat: 1,
    run: memoryAfterChurn,
  },
  {
    name: 'memory-full',
    what: 'memory with 22,000 ConfigMaps and 11,000 Pods stored',
    budget: { resident: { unit: 'MB', atMost: 300 } },
    repeat: 1,
    run: memoryFull,
  },
  {
    name: 'create-configmap',
    what: 'create ConfigMap (0.5 KB, durable, TLS, 32 connections)',
    budget: { rate: { unit: '/s', atLeast: 10_000 }, p99: { unit: 'ms', atMost: 15 } },
    repeat: 3,
    run: apiserver(configMap, { rate: configMap, p99: { after: configMap, what: 'p99' } }),
  },
  {
    name: 'create-pod',
    what: 'create Pod, the same',
    budget: { rate: { unit: '/s', atLeast: 4000 } },
    repeat: 3,
    run: apiserver(createPod, { rate: createPod }),
  },
  {
    name: 'get',
    what: 'get one object, TLS, 32 connections',
    budget: { rate: { unit: '/s', atLeast: 20_000 } },
    repeat: 3,
    run: apiserver(getOne, { rate: getOne }),
  },
  {
    name: 'list-page',
    what: 'list a page of 500 Pods',
    budget: { rate: { unit: '/s', atLeast: 200 } },
    repeat: 3,
    run: apiserver(listPage, { rate: listPage }),
  },
  {
    name: 'list-selected',
    what: 'list 10,000 Pods by a label selector that matches 1 %',
    budget: { rate: { unit: '/s', atLeast: 500 } },
    repeat: 3,
    run: apiserver(listSelected, { rate: listSelected }),
  },
  {
    name: 'watch',
    what: '100 watchers during creates, one write per watcher and commit group',
    budget: { rate: { unit: 'events/s', atLeast: 300_000 } },
    repeat: 3,
    run: apiserver('watch', { rate: watchers }),
  },
  {
    name: 'bound',
    what: 'create to bound through the whole server, 5,000 nodes, plain Pods (events batched)',
    budget: { bound: { unit: 'Pods/s', atLeast: 3000 } },
    repeat: 2,
    run: () => createToBound({ count: 10_000 }),
  },
  {
    name: 'bound-anti-affinity',
    what: 'the same, required Pod anti-affinity on hostname',
    budget: { bound: { unit: 'Pods/s', atLeast: 1500 } },
    repeat: 2,
    run: () => createToBound({ count: 4000, extra: antiAffinity }),
  },
  {
    name: 'scheduler-core',
    what: 'create to bound, 5,000 nodes, the scheduler and the pool alone',
    budget: {
      plain: { unit: 'Pods/s', atLeast: 3000 },
      'anti-affinity': { unit: 'Pods/s', atLeast: 1500 },
      'spread-zones': { unit: 'Pods/s' },
    },
    repeat: 3,
    run: schedulerCore,
  },
  {
    name: 'allocation-cycle',
    what: 'allocation cycle, 10,000 agents, 200 frameworks in 20 roles, encoding of offers apart',
    budget: {
      first: { unit: 'ms', atMost: 25 },
      steady: { unit: 'ms', atMost: 25 },
      refused: { unit: 'ms', atMost: 25 },
    },
    repeat: 3,
    run: allocationCycle,
  },
  {
    name: 'mesos-launches',
    what: 'Mesos launches on hollow agents, from ACCEPT to the store',
    budget: { rate: { unit: '/s', atLeast: 4000 } },
    repeat: 3,
    run: launches,
  },
  {
    name: 'mesos-state',
    what: "the master's /state of 10,000 agents and 50,000 tasks, streamed, beside small calls",
    budget: { state: { unit: 'ms' }, 'other-calls-max': { unit: 'ms', atMost: 50 } },
    repeat: 1,
    run: masterState,
  },
  {
    name: 'mesos-updates',
    what: "a task's process ends, its framework gets the event: real containers, p99",
    budget: {
      steady: { unit: 'ms', atMost: 50 },
      burst: { unit: 'ms', atMost: 50 },
      image: { unit: 'ms', atMost: 50 },
      'ends-at-once': { unit: 'ms', atMost: 50 },
      'burst-ends-at-once': { unit: 'ms' },
    },
    repeat: 1,
    run: statusUpdates,
  },
  {
    name: 'marathon',
    what: '1,000 Marathon apps with 10,000 instances on hollow agents; GET /v2/apps of them',
    budget: { deployed: { unit: 's', atMost: 20 }, list: { unit: 'ms', atMost: 300 } },
    repeat: 1,
    run: marathonApps,
  },
  {
    name: 'pod-running',
    what: 'Pod created to Running, image present, real containers; starts on one agent',
    budget: {
      p50: { unit: 'ms', atMost: 120 },
      p99: { unit: 'ms', atMost: 400 },
      rate: { unit: '/s', atLeast: 50 },
    },
    repeat: 1,
    run: suite({
      program: 'pods.ts',
      pick: {
        p50: 'created to Running',
        p99: { after: 'created to Running', what: 'the same, p99' },
        rate: 'containers started on one agent',
      },
    }),
  },
  {
    name: 'idle',
    what: 'idle one-node cluster, server and agent: CPU and memory',
    budget: {
      cpu: { unit: '% of a core', atMost: 1 },
      'server-memory': { unit: 'MB', atMost: 130 },
      'agent-memory': { unit: 'MB' },
    },
    repeat: 1,
    run: idle,
  },
  {
    name: 'mesos-idle',
    what: 'CPU of Mesos and Marathon beside an idle cluster: looked at once; after a framework',
    budget: {
      unused: { unit: '% of a core', atMost: 1 },
      loaded: { unit: '% of a core', atMost: 0.1 },
      'after-framework': { unit: '% of a core', atMost: 0.1 },
    },
    repeat: 1,
    run: mesosIdle,
  },
  {
    name: 'hollow-nodes',
    what: 'hollow nodes under one server: own process, real TLS, one connection each',
    budget: {
      'memory-at-15000': { unit: 'MB', atMost: 3000 },
      'cpu-at-15000': { unit: 'cores' },
      memory: { unit: 'MB' },
      'mutating-p99': { unit: 'ms', atMost: 1000 },
      'read-p99': { unit: 'ms', atMost: 1000 },
      'pod-start-p99': { unit: 'ms', atMost: 5000 },
    },
    repeat: 1,
    run: hollowNodes,
  },
  {
    name: 'store-alone',
    what: 'the store alone: durable creates of 0.5 KB by 32 clients; a claim of the pool',
    budget: {
      rate: { unit: '/s', atLeast: 10_000 },
      p99: { unit: 'ms', atMost: 5 },
      claim: { unit: 'us', atMost: 10 },
    },
    repeat: 3,
    run: suite({
      program: 'store.ts',
      args: bySeconds,
      pick: {
        rate: '32 clients',
        p99: { after: '32 clients', what: 'p99' },
        claim: 'commit of a claim',
      },
    }),
  },
  {
    name: 'kubelet-alone',
    what: 'what the kubelet alone adds from bound to Running, over a runtime of 7 ms',
    budget: { p50: { unit: 'ms', atMost: 30 }, rate: { unit: '/s', atLeast: 200 } },
    repeat: 3,
    run: suite({ program: 'kubelet.ts', pick: { p50: 'p50', rate: 'Pods of one container' } }),
  },
];

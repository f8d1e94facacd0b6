/** The `tandem` command: puts the verbs that need this machine beside those that need only the API. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { runCli } from '#cli';
import type { ClusterVerb } from '#cli';

/** Each verb's code is loaded when it is asked for: a start pays for nothing else. */
const clusterVerbs: Readonly<Record<string, ClusterVerb>> = {
  up: changing(async () => (await import('./cluster/up.ts')).up),
  down: changing(async () => (await import('./cluster/stop.ts')).down),
  restart: changing(async () => (await import('./cluster/stop.ts')).restart),
  destroy: changing(async () => (await import('./cluster/stop.ts')).destroy),
  status: async (...args) => (await import('./cluster/status.ts')).status(...args),
  doctor: async (...args) => (await import('./cluster/doctor.ts')).doctor(...args),
  kubeconfig: async (...args) => (await import('./cluster/small.ts')).kubeconfig(...args),
  version: async (...args) => (await import('./cluster/small.ts')).version(...args),
  bench: async (command) => (await import('./cluster/small.ts')).bench(command),
  user: async (...args) => (await import('./cluster/users.ts')).user(...args),
  image: async (...args) => (await import('./cluster/images.ts')).image(...args),
  logs: async (...args) => (await import('./cluster/logs.ts')).componentLogs(...args),
  export: async (...args) => (await import('./cluster/report.ts')).exportReport(...args),
  backup: async (...args) => (await import('./cluster/backup.ts')).backup(...args),
  restore: changing(async () => (await import('./cluster/backup.ts')).restore),
};

/** A verb that changes the cluster, one at a time. */
function changing(load: () => Promise<ClusterVerb>): ClusterVerb {
  return async (...args) => {
    const [{ inTurn }, verb] = await Promise.all([import('./cluster/turns.ts'), load()]);
    return inTurn(verb)(...args);
  };
}

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  clusterVerbs,
  connect: async (command) => (await import('./cluster/connect.ts')).connect(command),
  readInput: async (path) => (path === '-' ? text(process.stdin) : readFileSync(path, 'utf8')),
});

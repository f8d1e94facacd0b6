import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The Kubernetes whose API is served; clients compare their own version with it. */
export const kubernetesVersion = '1.36.2';

/** Version of Tandem, from package.json. */
export function tandemVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** As `/version` and Node status say it: `v1.36.2+tandem-0.1.0`. */
export function gitVersion(): string {
  return `v${kubernetesVersion}+tandem-${tandemVersion()}`;
}

/** What `/version` answers (k8s.io/apimachinery version.Info). */
export function versionInfo(): Readonly<
  Record<
    | 'major'
    | 'minor'
    | 'gitVersion'
    | 'gitCommit'
    | 'gitTreeState'
    | 'buildDate'
    | 'goVersion'
    | 'compiler'
    | 'platform',
    string
  >
> {
  const [major = '', minor = ''] = kubernetesVersion.split('.');
  return {
    major,
    minor,
    gitVersion: gitVersion(),
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'node',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}

/** The Mesos whose API is served; clients read it as numbers. */
export const mesosVersion = '1.11.0';
/** Of Mesos-DNS, whose HTTP API is served. */
export const mesosDnsVersion = '0.9.0';

/** What kubectl shows and does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { eventually, forever, image, podOf, type Case } from './kit.ts';

const client = '[sig-cli] Kubectl client ';

export const kubectlCases: readonly Case[] = [
  {
    name: 'kubectl tells versions, groups and where the control plane is',
    covers: [
      `${client}Kubectl api-versions should check if v1 is in available api versions`,
      `${client}Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info`,
      `${client}Kubectl version should check is all data is printed`,
    ],
    run: async (world) => {
      assert.match(await world.ctl('api-versions'), /^v1$/m);
      assert.match(
        await world.ctl('cluster-info'),
        /Kubernetes control plane.*is running at https:\/\/127\.0\.0\.1/s,
      );
      const version = await world.ctl('version');
      assert.match(version, /Client Version: v\d/);
      assert.match(version, /Server Version: v\d/);
    },
  },
  {
    name: 'kubectl runs a Pod, replaces and dry-runs its image, labels and describes it',
    covers: [
      `${client}Kubectl run pod should create a pod from an image when restart is Never`,
      `${client}Kubectl replace should update a single-container pod's image`,
      `${client}Kubectl server-side dry-run should check if kubectl can dry-run update Pods`,
      `${client}Kubectl label should update the label on a resource`,
    ],
    run: async (world) => {
      const space = await world.namespace('kubectl');
      const ns = ['-n', space.name];
      await world.ctl(
        ...ns,
        'run',
        'p',
        `--image=${image}`,
        '--restart=Never',
        '--',
        'sleep',
        '600',
      );
      const made = await space.ready('p');
      assert.equal(made.spec?.restartPolicy, 'Never');
      const patch = JSON.stringify({
        spec: { containers: [{ name: 'p', image: 'conformance/busybox:2' }] },
      });
      await world.ctl(...ns, 'patch', 'pod', 'p', '-p', patch, '--dry-run=server');
      assert.equal((await world.get(space.pod('p'))).spec?.containers?.[0]?.image, image);
      const file = join(world.home, `${space.name}.json`);
      const text = await world.ctl(...ns, 'get', 'pod', 'p', '-o', 'json');
      writeFileSync(
        file,
        text.replaceAll(`"image": "${image}"`, '"image": "conformance/busybox:2"'),
      );
      await world.ctl(...ns, 'replace', '-f', file);
      assert.equal(
        (await world.get(space.pod('p'))).spec?.containers?.[0]?.image,
        'conformance/busybox:2',
      );
      await world.ctl(...ns, 'label', 'pod', 'p', 'testing-label=testing-label-value');
      assert.match(
        await world.ctl(...ns, 'get', 'pod', 'p', '-L', 'testing-label'),
        /testing-label-value/,
      );
      await world.ctl(...ns, 'label', 'pod', 'p', 'testing-label-');
      assert.doesNotMatch(
        await world.ctl(...ns, 'get', 'pod', 'p', '-L', 'testing-label'),
        /testing-label-value/,
      );
      assert.match(
        await world.ctl(...ns, 'describe', 'pod', 'p'),
        /Restart Count|Controlled By|Image:/,
      );
      await world.ctl(...ns, 'delete', 'pod', 'p', '--now');
    },
  },
  {
    name: 'kubectl diff ends with 1 when something would change',
    covers: [
      `${client}Kubectl diff should check if kubectl diff finds a difference for Deployments`,
    ],
    run: async (world) => {
      const space = await world.namespace('diff');
      const file = join(world.home, `${space.name}.json`);
      const write = (tag: string): void =>
        writeFileSync(
          file,
          JSON.stringify({
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            metadata: { name: 'd' },
            spec: {
              replicas: 0,
              selector: { matchLabels: { app: 'd' } },
              template: {
                metadata: { labels: { app: 'd' } },
                spec: { containers: [{ name: 'main', image: tag }] },
              },
            },
          }),
        );
      write(image);
      await world.ctl('-n', space.name, 'create', '-f', file);
      assert.equal((await world.kubectl('-n', space.name, 'diff', '-f', file)).code, 0);
      write('conformance/busybox:2');
      const changed = await world.kubectl('-n', space.name, 'diff', '-f', file);
      assert.equal(changed.code, 1, changed.err);
      assert.match(changed.out, /busybox:2/);
    },
  },
  {
    name: 'kubectl proxy serves the API on a port of its choice and on a socket',
    covers: [
      `${client}Proxy server should support proxy with --port 0`,
      `${client}Proxy server should support --unix-socket=/path`,
    ],
    run: async (world) => {
      const socket = join(world.home, 'proxy.sock');
      for (const args of [['--port=0'], [`--unix-socket=${socket}`]]) {
        const child = spawn('kubectl', ['proxy', ...args], { env: world.env });
        try {
          const text = await new Promise<string>((resolve, reject) => {
            child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
            child.once('error', reject);
            child.once('close', () => reject(new Error('kubectl proxy ended')));
          });
          const port = /:(\d+)/.exec(text)?.[1];
          const where = port === undefined ? { socketPath: socket } : { port: Number(port) };
          const answer = await eventually('the proxy answers', () => ask(where));
          assert.match(answer, /"versions"/);
        } finally {
          child.kill();
        }
      }
    },
  },
  {
    name: 'A refused Pod and a running one can be told apart with kubectl wait and get',
    covers: [],
    run: async (world) => {
      const space = await world.namespace('wait');
      await space.create(podOf('p', forever));
      await world.ctl('-n', space.name, 'wait', '--for=condition=Ready', 'pod/p', '--timeout=30s');
      assert.match(await world.ctl('-n', space.name, 'get', 'pods'), /p\s+1\/1\s+Running/);
    },
  },
];

function ask(where: { readonly port?: number; readonly socketPath?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, host: '127.0.0.1', path: '/api/' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end();
  });
}

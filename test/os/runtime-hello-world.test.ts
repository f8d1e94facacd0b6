import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { containerSpec, leftovers, openFixture, sandboxSpec, until } from './runtime-kit.ts';

const perSecond = 500;

/** One request on a connection of its own. */
function ask(host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = get(
      { host, port: 9001, path, agent: new Agent({ keepAlive: false }) },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
  });
}

test('the demo image answers 500 new connections a second and ends cleanly at SIGTERM', async () => {
  const fixture = await openFixture();
  try {
    const file = join(fixture.folder, 'hello.tar');
    execFileSync('examples/hello-world/build.sh', [file], {
      env: { ...process.env, VERSION: '7' },
      stdio: 'ignore',
    });
    const { runtime } = fixture;
    const [image] = await runtime.images.load(createReadStream(file));
    assert.ok(image);
    assert.deepEqual(image.names, ['docker.io/library/hello-world:latest']);
    assert.equal((await runtime.images.resolve('hello-world'))?.id, image.id);
    const sandbox = await runtime.createSandbox(sandboxSpec(), new AbortController().signal);
    const spec = containerSpec(fixture.folder, { imageId: image.id });
    const { id } = await runtime.createContainer(sandbox.id, spec);
    await runtime.startContainer(id);
    let ready = '';
    for (let turn = 0; turn < 200 && !ready.startsWith('200'); turn++)
      ready = await ask(sandbox.ip, '/healthz').catch(() => '');
    assert.match(ready, /^200 ok/);
    assert.match(await ask(sandbox.ip, '/'), new RegExp(`${sandbox.spec.hostname}, version 7`));
    const answers: Promise<string>[] = [];
    for (let tick = 0; tick < 40; tick++) {
      for (let turn = 0; turn < perSecond / 20; turn++) answers.push(ask(sandbox.ip, '/'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const wrong = (await Promise.all(answers)).filter((answer) => !answer.startsWith('200 '));
    assert.deepEqual(wrong, []);
    const beforeMs = performance.now();
    await runtime.stopContainer(id, { graceMs: 10_000 });
    const ended = await until('end', () => {
      const now = runtime.container(id);
      return now?.state === 'exited' && now;
    });
    assert.equal(ended.exitCode, 0);
    assert.ok(performance.now() - beforeMs < 2_000);
  } finally {
    await fixture[Symbol.asyncDispose]();
  }
  assert.deepEqual(leftovers(fixture), []);
});

/** What no client should send, sent to a real cluster: refused, not kept, and nobody else notices. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, suite, test } from 'node:test';
import { startCluster, until } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { scalar, TestFramework } from './mesos-framework.ts';
import type { Offer } from './mesos-framework.ts';

const json = 'application/json';
const terminal = /FINISHED|FAILED|KILLED|ERROR|LOST/;

interface Got {
  readonly status: number;
  readonly text: string;
}
type Headers = Readonly<Record<string, string>>;

/** A framework that keeps its offers until a test spends them. */
class Probe {
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly events: Json[] = [];
  readonly spent = new Set<string>();
  streamID = '';
  id = '';

  constructor(url: string) {
    this.#url = url;
  }

  static async open(url: string): Promise<Probe> {
    const probe = new Probe(url);
    await probe.#subscribe();
    const first = await until('SUBSCRIBED', () => probe.events[0]?.['subscribed']);
    probe.id = String(first['framework_id']!['value']);
    return probe;
  }

  close(): void {
    this.#stop.abort();
  }

  async post(body: string | Uint8Array, headers: Headers): Promise<Got> {
    const options = { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) };
    const response = await fetch(this.#url, options);
    return { status: response.status, text: await response.text() };
  }

  call(type: string, fields: object = {}): Promise<Got> {
    const body = JSON.stringify({ type, framework_id: { value: this.id }, ...fields });
    return this.post(body, { 'content-type': json, 'mesos-stream-id': this.streamID });
  }

  /** An offer that is not spent yet, if there is one; it is spent now. */
  take(): Offer | undefined {
    const offer = this.events
      .flatMap((event) => (event['offers']?.['offers'] ?? []) as unknown as Offer[])
      .find(({ id }) => !this.spent.has(id.value) && !this.#rescinded(id.value));
    if (offer !== undefined) this.spent.add(offer.id.value);
    return offer;
  }
  offer(): Promise<Offer> {
    return until('an offer', () => this.take());
  }

  /** Spends offers; their rest is offered again at once. */
  accept(offers: readonly { readonly value: string }[], ...tasks: unknown[]): Promise<Got> {
    const operations = tasks.map((task) => ({ type: 'LAUNCH', launch: { task_infos: [task] } }));
    const filters = { refuse_seconds: 0 };
    return this.call('ACCEPT', { accept: { offer_ids: offers, operations, filters } });
  }

  /** The status that a task is told of, acknowledged when that is asked for. */
  async status(task: string, fits = (state: string): boolean => state !== ''): Promise<Json> {
    const acknowledged = new Set<string>();
    return until(`a status of ${task.slice(0, 20)}`, async () => {
      for (const event of this.events) {
        const status = event['update']?.['status'];
        if (status === undefined || String(status['task_id']!['value']) !== task) continue;
        const { task_id, agent_id, uuid } = status;
        if (uuid !== undefined && !acknowledged.has(String(uuid))) {
          acknowledged.add(String(uuid));
          await this.call('ACKNOWLEDGE', { acknowledge: { task_id, agent_id, uuid } });
        }
        if (fits(String(status['state']))) return status;
      }
      return undefined;
    });
  }

  #rescinded(id: string): boolean {
    return this.events.some((event) => String(event['rescind']?.['offer_id']!['value']) === id);
  }

  async #subscribe(): Promise<void> {
    const framework_info = {
      user: 'nobody',
      name: 'probe',
      roles: ['probe'],
      capabilities: [{ type: 'MULTI_ROLE' }],
    };
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': json },
      body: JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info } }),
      signal: this.#stop.signal,
    });
    this.streamID = response.headers.get('mesos-stream-id') ?? '';
    void this.#read(response);
  }

  async #read(response: Response): Promise<void> {
    let unread = Buffer.alloc(0);
    try {
      for await (const chunk of response.body ?? []) {
        unread = Buffer.concat([unread, chunk as Uint8Array]);
        for (let end = unread.indexOf(10); end >= 0; end = unread.indexOf(10)) {
          const next = end + 1 + Number(unread.subarray(0, end).toString());
          if (unread.length < next) break;
          this.events.push(JSON.parse(unread.subarray(end + 1, next).toString()) as Json);
          unread = unread.subarray(next);
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}

function taskOf(offer: Offer, id: string, fields: object = {}): Record<string, unknown> {
  return {
    name: 'task',
    task_id: { value: id },
    agent_id: offer.agent_id,
    resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    command: { value: 'true' },
    ...fields,
  };
}
const ports = (...range: readonly (readonly [number, number])[]): object => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: range.map(([begin, end]) => ({ begin, end })) },
});
const volume = (id: string): object => ({
  ...scalar('disk', 8),
  reservations: [{ type: 'DYNAMIC', role: 'probe' }],
  disk: { persistence: { id }, volume: { mode: 'RW', container_path: id } },
});
const cpusOf = (value: unknown): object => ({
  resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value } }],
});

/** Tasks that are refused: what they are, and the reference's words. */
const wrongTasks: readonly (readonly [string, string, object, RegExp])[] = [
  ['an id with a slash', 'a/b', {}, /^'a\/b' contains invalid characters$/],
  ['an id with a backslash', 'a\\b', {}, /^'a\\b' contains invalid characters$/],
  ['an id with a control character', 'a\u0007b', {}, /contains invalid characters$/],
  ['an id of one dot', '.', {}, /^'\.' is disallowed$/],
  ['an id of two dots', '..', {}, /^'\.\.' is disallowed$/],
  ['an id of 300 characters', 'x'.repeat(300), {}, /^ID must not be greater than 255 characters$/],
  ['no id', '', {}, /^ID must not be empty$/],
  [
    'an unknown agent',
    'elsewhere',
    { agent_id: { value: 'nowhere-S0' } },
    /^Task uses invalid agent nowhere-S0 while agent .* is expected$/,
  ],
  [
    'a negative scalar',
    'negative',
    cpusOf(-1),
    /^Resource '.*' is invalid: Invalid scalar resource: value <= 0$/,
  ],
  ['an infinite scalar', 'infinite', cpusOf('Infinity'), /./],
  [
    'overlapping ranges',
    'overlap',
    { resources: [scalar('cpus', 0.1), ports([31_000, 31_009], [31_005, 31_010])] },
    /Invalid ranges resource: overlapping ranges$/,
  ],
  [
    'a range from its end',
    'backwards',
    { resources: [scalar('cpus', 0.1), ports([31_010, 31_000])] },
    /Invalid ranges resource: begin > end$/,
  ],
  [
    'a volume twice',
    'volumes',
    { resources: [scalar('cpus', 0.1), volume('v'), volume('v')] },
    /^Task uses duplicate persistence ID: Persistence ID 'v' is not unique$/,
  ],
  [
    'ports of nobody',
    'ports',
    { resources: [scalar('cpus', 0.1), ports([80, 80])] },
    /is more than available/,
  ],
];

/** Archives that must not be unpacked, by name, made of a folder. */
const badArchives: Readonly<Record<string, (folder: string, path: string) => void>> = {
  'above.tar': (folder, path) => {
    writeFileSync(join(folder, 'escaped'), 'x');
    execFileSync('tar', ['-cPf', path, '--transform=s,^,../../../../,', '-C', folder, 'escaped']);
  },
  'link.tar.gz': (folder, path) => {
    symlinkSync('/etc', join(folder, 'out'));
    execFileSync('tar', ['-cPzf', path, '-C', folder, 'out']);
  },
  'bomb.tar.gz': (folder, path) => {
    execFileSync('sh', ['-c', `truncate -s 400M zeros && tar -czf ${path} zeros && rm zeros`], {
      cwd: folder,
    });
  },
  'none.tar.gz': (_folder, path) => writeFileSync(path, 'no archive'),
};

async function fileServer(folder: string) {
  const server = createServer((request, response) => {
    if (request.url === '/stall.tar') return void response.write('half');
    if (request.url === '/absent.tar') return void response.writeHead(404).end('no');
    response.end(readFileSync(join(folder, request.url ?? '')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

suite('Bad input', async () => {
  const cluster: Cluster = await startCluster();
  const at = (port: number): string => `http://127.0.0.1:${port + cluster.offset}`;
  const scheduler = `${at(5050)}/api/v1/scheduler`;
  const launched = { done: false };
  const bystander = new TestFramework({
    master: at(5050),
    name: 'bystander',
    onOffer: (offer) => {
      if (launched.done) return [];
      launched.done = true;
      const command = { value: 'exec sleep 10000' };
      const task_infos = [taskOf(offer, 'resident', { command })];
      return [{ type: 'LAUNCH', launch: { task_infos } }];
    },
  });
  await until(
    'the resident',
    () => bystander.updates.get('resident')?.at(-1)?.state === 'TASK_RUNNING',
  );
  await bystander.call('SUPPRESS', { suppress: {} });
  const probe = await Probe.open(scheduler);
  after(async () => {
    probe.close();
    await bystander.close();
    await cluster[Symbol.asyncDispose]();
  });
  afterEach(() => {
    assert.equal(bystander.subscriptions, 1, 'the other framework kept its stream');
    const states = bystander.updates.get('resident')?.map(({ state }) => state);
    assert.deepEqual(states, ['TASK_STARTING', 'TASK_RUNNING'], 'its task ran on, told of once');
  });
  const storedTasks = async (): Promise<readonly string[]> =>
    [...(await cluster.call('GET', '/apis/mesos.tandem.dev/v1/tasks'))['items']!]
      .filter(({ status }) => status!['completedTime'] === undefined)
      .map(({ spec }) => String(spec!['taskID']))
      .toSorted();

  test('Bodies that are no calls', async () => {
    const cases: readonly (readonly [string | Uint8Array, string | undefined, number, RegExp])[] = [
      ['{', json, 400, /^Failed to parse body into JSON: syntax error at line 1 near: /],
      ['[]', json, 400, /^Failed to convert JSON into Call protobuf: Expecting a JSON object$/],
      ['{}', `${json}; charset=utf-8`, 415, /^Expecting 'Content-Type' of application\/json or /],
      ['{}', 'application/recordio', 415, /^Expecting 'Content-Type' of application\/json or /],
      [Buffer.from('{}'), undefined, 400, /^Expecting 'Content-Type' to be present$/],
      [
        Buffer.from('\xff\xff'),
        'application/x-protobuf',
        400,
        /^Failed to parse body into Call protobuf$/,
      ],
      [
        '{"type":"NOPE"}',
        json,
        400,
        /^Failed to validate scheduler::Call: Expecting 'type' to be present$/,
      ],
      [
        '{"type":"KILL"}',
        json,
        400,
        /^Failed to validate scheduler::Call: Expecting 'framework_id' to be present$/,
      ],
    ];
    for (const [body, type, status, text] of cases) {
      const got = await probe.post(body, type === undefined ? {} : { 'content-type': type });
      assert.equal(got.status, status, got.text);
      assert.match(got.text, text);
    }
    const long = Buffer.alloc(17 * 2 ** 20, ' ');
    const got = await probe.post(long, { 'content-type': json }).catch(() => undefined);
    // The connection may be closed before everything was sent.
    assert.ok(got === undefined || got.status === 413, got?.text);
  });

  test('Streams of records that are none', async () => {
    const agent = new Probe(`${at(5051)}/api/v1`);
    const headers = { 'content-type': 'application/recordio', 'message-content-type': json };
    for (const [body, text] of [
      ['abc\n{}', /^Failed to decode length 'abc': /],
      ['-1\n{}', /^Failed to decode length '-1': /],
      ['99999999999\n', /^Failed to decode length '99999999999': /],
      ['2\n{"', /^Failed to parse body into JSON: syntax error /],
      ['2\n{}', /^Failed to validate agent::Call: Expecting 'type' to be present$/],
    ] as const) {
      const got = await agent.post(body, headers);
      assert.equal(got.status, 400, got.text);
      assert.match(got.text, text);
    }
    const bare = await agent.post('2\n{}', { 'content-type': 'application/recordio' });
    assert.match(bare.text, /^Expecting 'Message-Content-Type' to be set for streaming requests$/);
    const container_id = { value: 'none' };
    const output = { type: 'ATTACH_CONTAINER_OUTPUT', attach_container_output: { container_id } };
    const missing = await agent.post(JSON.stringify(output), { 'content-type': json });
    assert.deepEqual(missing, { status: 404, text: 'Container none cannot be found' });
  });

  test('Calls with a wrong stream, or none', async () => {
    const body = JSON.stringify({ type: 'REVIVE', framework_id: { value: probe.id } });
    const none = await probe.post(body, { 'content-type': json });
    assert.equal(none.status, 400);
    assert.equal(none.text, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
    const wrong = await probe.post(body, { 'content-type': json, 'mesos-stream-id': 'x' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /^The stream ID 'x' included in this request didn't match the stream/);
    const foreign = body.replace(probe.id, bystander.id);
    const own = { 'content-type': json, 'mesos-stream-id': probe.streamID };
    const got = await probe.post(foreign, own);
    assert.equal(got.status, 400);
    assert.match(got.text, /didn't match the stream ID currently associated with framework ID/);
    const unknown = await probe.post(body.replace(probe.id, 'nobody'), own);
    assert.deepEqual(unknown, { status: 400, text: 'Framework cannot be found' });
  });

  for (const [what, id, fields, message] of wrongTasks)
    test(`A task with ${what}`, async () => {
      const offer = await probe.offer();
      const got = await probe.accept([offer.id], taskOf(offer, id, fields));
      assert.deepEqual(got, { status: 202, text: '' });
      const { state, reason, source, message: told } = await probe.status(id);
      assert.equal(String(state), 'TASK_ERROR');
      assert.equal(String(reason), 'REASON_TASK_INVALID');
      assert.equal(String(source), 'SOURCE_MASTER');
      assert.match(String(told), message);
      assert.deepEqual(await storedTasks(), ['resident']);
    });

  test('A number that is none does not reach anybody', async () => {
    const offer = await probe.offer();
    const got = await probe.accept([offer.id], taskOf(offer, 'nan', cpusOf('NaN')));
    assert.equal(got.status, 400);
    assert.match(got.text, /^Failed to convert JSON into Call protobuf: .*'NaN' as a JSON number/);
    probe.spent.delete(offer.id.value); // still ours
    assert.deepEqual(await storedTasks(), ['resident']);
  });

  test('Offers twice, of nobody, and of others', async () => {
    const offer = await probe.offer();
    for (const [name, offers, message] of [
      [
        'unknown',
        [{ value: 'none-O0' }],
        /^Task launched with invalid offers: Offer none-O0 is no longer valid$/,
      ],
      [
        'twice',
        [offer.id, offer.id],
        /^Task launched with invalid offers: Duplicate offer \S+ in offer list$/,
      ],
      ['again', [offer.id], /^Task launched with invalid offers: Offer \S+ is no longer valid$/],
    ] as const) {
      await probe.accept(offers, taskOf(offer, name));
      const { state, reason, message: told } = await probe.status(name);
      assert.equal(String(state), 'TASK_LOST');
      assert.equal(String(reason), 'REASON_INVALID_OFFERS');
      assert.match(String(told), message);
    }
    const other = await Probe.open(scheduler);
    const theirs = await until('an offer', () => probe.take() ?? other.take());
    const thief = probe.spent.has(theirs.id.value) ? other : probe;
    await thief.accept([theirs.id], taskOf(theirs, 'stolen'));
    const { message } = await thief.status('stolen');
    assert.match(
      String(message),
      /: Offer \S+ has invalid framework \S+ while framework \S+ is expected$/,
    );
    assert.deepEqual(await storedTasks(), ['resident']);
    await other.call('TEARDOWN');
    other.close();
  });

  test('Tasks of another framework are not there', async () => {
    const task_id = { value: 'resident' };
    assert.equal((await probe.call('KILL', { kill: { task_id } })).status, 202);
    const { state, reason } = await probe.status('resident');
    assert.deepEqual([String(state), String(reason)], ['TASK_LOST', 'REASON_RECONCILIATION']);
    const agent_id = { value: 'nowhere-S9' };
    const uuid = Buffer.from('00000000000040008000000000000000', 'hex').toString('base64');
    assert.equal(
      (await probe.call('ACKNOWLEDGE', { acknowledge: { task_id, agent_id, uuid } })).status,
      202,
    );
    const bad = await probe.call('ACKNOWLEDGE', {
      acknowledge: { task_id, agent_id, uuid: 'YQ==' },
    });
    assert.deepEqual(bad, {
      status: 400,
      text: 'Failed to validate scheduler::Call: Not a valid UUID',
    });
    const executor_id = { value: 'resident' };
    const message = { agent_id, executor_id, data: 'YQ==' };
    assert.equal((await probe.call('MESSAGE', { message })).status, 202);
    assert.equal(
      (await probe.call('SHUTDOWN', { shutdown: { executor_id, agent_id } })).status,
      202,
    );
  });

  test('What cannot be fetched', async () => {
    const folder = join(cluster.home, 'archives');
    mkdirSync(folder);
    const server = await fileServer(folder);
    try {
      const names = [...Object.keys(badArchives), 'absent.tar'];
      for (const [name, make] of Object.entries(badArchives)) {
        const from = join(folder, `of-${name}`);
        mkdirSync(from);
        make(from, join(folder, name));
      }
      for (const name of names) {
        const offer = await probe.offer();
        const command = { value: 'true', uris: [{ value: `${server.url}/${name}` }] };
        await probe.accept([offer.id], taskOf(offer, name, { command }));
        const { state, reason, message } = await probe.status(name, (text) => terminal.test(text));
        assert.equal(String(state), 'TASK_FAILED', name);
        assert.equal(String(reason), 'REASON_CONTAINER_LAUNCH_FAILED', name);
        assert.match(
          String(message),
          /^Failed to launch container: Failed to fetch all URIs for container '/,
        );
      }
      const offer = await probe.offer();
      const command = { value: 'true', uris: [{ value: `${server.url}/stall.tar` }] };
      await probe.accept([offer.id], taskOf(offer, 'stalls', { command }));
      const next = await probe.offer();
      await probe.accept([next.id], taskOf(next, 'beside'));
      await probe.status('beside', (state) => state === 'TASK_FINISHED');
      await probe.call('KILL', { kill: { task_id: { value: 'stalls' } } });
      await probe.status('stalls', (state) => state === 'TASK_KILLED');
    } finally {
      server.close();
    }
    await until('the end of their tasks', async () => String(await storedTasks()) === 'resident');
  });

  test('Apps of Marathon that depend on each other, or fit nowhere', async () => {
    const post = async (path: string, body: unknown): Promise<Got> =>
      new Probe(`${at(8080)}${path}`).post(JSON.stringify(body), { 'content-type': json });
    const app = (id: string, fields: object = {}): object => ({ id, cmd: 'sleep 100', ...fields });
    await probe.call('TEARDOWN'); // or its offers stay with it
    for (const [path, body, text] of [
      [
        '/v2/apps',
        app('/self', { dependencies: ['/self'] }),
        /Dependency graph has cyclic dependencies\./,
      ],
      [
        '/v2/groups',
        {
          id: '/ring',
          apps: [app('a', { dependencies: ['/ring/b'] }), app('b', { dependencies: ['/ring/a'] })],
        },
        /Dependency graph has cyclic dependencies\./,
      ],
      [
        '/v2/apps',
        app('/no-operator', { constraints: [['hostname', 'NEAR', 'x']] }),
        /operator must be one of the following/,
      ],
      [
        '/v2/apps',
        app('/no-pattern', { constraints: [['hostname', 'LIKE', '[']] }),
        /is not a valid regular expression/,
      ],
      ['/v2/apps', app('/a..b/c d'), /\/id/],
      ['/v2/apps', app('/less', { cpus: -1 }), /\/cpus/],
    ] as const) {
      const got = await post(path, body);
      assert.equal(got.status, 422, got.text);
      assert.match(got.text, text);
    }
    const nowhere = app('/nowhere', { constraints: [['hostname', 'CLUSTER', 'no-such-host']] });
    assert.equal((await post('/v2/apps', nowhere)).status, 201);
    await until('the reason', async () => {
      const { queue } = (await (await fetch(`${at(8080)}/v2/queue`)).json()) as {
        readonly queue: readonly {
          readonly processedOffersSummary: {
            readonly rejectSummaryLastOffers: readonly { reason: string; declined: number }[];
          };
        }[];
      };
      return queue[0]?.processedOffersSummary.rejectSummaryLastOffers.some(
        ({ reason, declined }) => reason === 'UnfulfilledConstraint' && declined > 0,
      );
    });
    const gone = await fetch(`${at(8080)}/v2/apps//nowhere?force=true`, { method: 'DELETE' });
    assert.equal(gone.status, 200);
    const { apps } = (await (await fetch(`${at(8080)}/v2/apps`)).json()) as { apps: unknown[] };
    assert.deepEqual(apps, []);
  });
});

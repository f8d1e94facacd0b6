// A Mesos framework in fifty lines: runs a few tasks, waits for them and leaves.
// node examples/framework.mjs [TASKS]      MASTER=http://localhost:5050
const master = process.env.MASTER ?? 'http://localhost:5050';
const tasks = Number(process.argv[2] ?? 5);
const headers = { 'Content-Type': 'application/json' };
const info = {
  user: 'nobody',
  name: 'fifty-lines',
  roles: ['*'],
  capabilities: [{ type: 'MULTI_ROLE' }],
};
let launched = 0;
let finished = 0;
let id;

async function call(type, fields = {}) {
  const body = JSON.stringify({ type, framework_id: id, ...fields });
  const reply = await fetch(`${master}/api/v1/scheduler`, { method: 'POST', headers, body });
  if (reply.status > 202) throw new Error(`${type}: ${reply.status} ${await reply.text()}`);
  return reply;
}

function taskFor(offer) {
  const scalar = (name, value) => ({ name, type: 'SCALAR', scalar: { value } });
  launched += 1;
  return {
    name: `hello-${launched}`,
    task_id: { value: `hello-${launched}` },
    agent_id: offer.agent_id,
    command: { value: `echo "Hello from task ${launched}"; sleep 1` },
    resources: [scalar('cpus', 0.1), scalar('mem', 32)],
  };
}

async function handle({ type, subscribed, offers, update, error }) {
  if (type === 'SUBSCRIBED') id = subscribed.framework_id;
  if (type === 'ERROR') throw new Error(error.message);
  for (const offer of offers?.offers ?? []) {
    const task_infos = [];
    while (launched < tasks && task_infos.length < 3) task_infos.push(taskFor(offer));
    const operations = [{ type: 'LAUNCH', launch: { task_infos } }];
    const wanted = task_infos.length > 0 ? operations : [];
    await call('ACCEPT', { accept: { offer_ids: [offer.id], operations: wanted } });
  }
  if (update === undefined) return;
  const { task_id, agent_id, state, uuid } = update.status;
  console.log(`${task_id.value} ${state}`);
  if (uuid) await call('ACKNOWLEDGE', { acknowledge: { task_id, agent_id, uuid } });
  if (['TASK_FINISHED', 'TASK_FAILED', 'TASK_LOST', 'TASK_ERROR'].includes(state)) finished += 1;
  if (finished === tasks) await call('TEARDOWN').then(() => process.exit(0));
}

const stream = await call('SUBSCRIBE', { subscribe: { framework_info: info } });
headers['Mesos-Stream-Id'] = stream.headers.get('Mesos-Stream-Id');
let unread = Buffer.alloc(0); // records: length in decimal, a line feed, that many bytes
for await (const chunk of stream.body) {
  unread = Buffer.concat([unread, chunk]);
  for (let end = unread.indexOf(10); end >= 0; end = unread.indexOf(10)) {
    const length = Number(unread.subarray(0, end).toString());
    if (unread.length < end + 1 + length) break;
    const record = unread.subarray(end + 1, end + 1 + length);
    unread = unread.subarray(end + 1 + length);
    await handle(JSON.parse(record.toString()));
  }
}

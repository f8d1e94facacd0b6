'use strict';
/*
 * A framework of the npm package mesos-framework, unmodified: runs one command task with a port, waits
 * until it runs and was acknowledged, kills it, and tears itself down. Prints a word for each step.
 */
const { Scheduler, Mesos } = require('mesos-framework');

const mesos = Mesos.getMesos();
const scheduler = new Scheduler({
  masterUrl: '127.0.0.1',
  port: Number(process.env.MASTER_PORT),
  frameworkName: 'interop',
  user: process.env.FRAMEWORK_USER || 'root',
  restartStates: [],
  logging: { level: 'error', path: process.env.LOG_DIR, fileName: 'framework.log' },
  tasks: {
    sleeper: {
      instances: 1,
      commandInfo: new mesos.CommandInfo(null, null, true, 'sleep 600', null, null),
      resources: { cpus: 0.2, mem: 32, ports: 1, disk: 0 },
    },
  },
});

const say = (text) => process.stdout.write(`${text}\n`);
scheduler.on('ready', () => scheduler.subscribe());
scheduler.on('subscribed', ({ mesosStreamId }) => say(`subscribed ${mesosStreamId.length}`));
scheduler.on('sent_accept', () => say('accepted'));
scheduler.on('sent_acknowledge', () => say('acknowledged'));
scheduler.on('heartbeat', () => say('heartbeat'));
scheduler.on('error', (error) => say(`error ${error.message || error}`));
scheduler.on('update', ({ status }) => {
  if (status.state === 'TASK_RUNNING')
    scheduler.kill(status.task_id.value, status.agent_id.value);
  if (status.state === 'TASK_KILLED') scheduler.teardown();
});
scheduler.on('sent_teardown', () => {
  say('torn down');
  process.exit(0);
});

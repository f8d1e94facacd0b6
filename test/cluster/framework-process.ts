/**
 * A framework in a process of its own, which others kill. Says on stdout, a line of JSON each, what it
 * hears and acknowledges; leaves with its life.
 *
 * Usage: node framework-process.ts MASTER OPTIONS, the second as JSON (`FrameworkSettings`).
 */
import { writeSync } from 'node:fs';
import { TestFramework, scalar } from './mesos-framework.ts';
import type { Offer, Status } from './mesos-framework.ts';

export interface FrameworkSettings {
  readonly name: string;
  readonly id?: string;
  readonly failoverTimeout: number;
  /** Commands by task id, launched with the first offer. */
  readonly tasks: Readonly<Record<string, string>>;
  /** Ids of tasks whose updates it acknowledges. */
  readonly acknowledges: readonly string[];
}
export type Line =
  | { readonly type: 'subscribed'; readonly id: string }
  | { readonly type: 'update' | 'acknowledged'; readonly status: Status };

const [, , master = '', text = ''] = process.argv;
const settings = JSON.parse(text) as FrameworkSettings;
let open = Object.entries(settings.tasks);

function say(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function launch(offer: Offer): readonly unknown[] {
  const task_infos = open.map(([id, value]) => ({
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    command: { value },
    resources: [scalar('cpus', 0.1), scalar('mem', 16)],
  }));
  open = [];
  return task_infos.length === 0 ? [] : [{ type: 'LAUNCH', launch: { task_infos } }];
}

const framework = new TestFramework({
  master,
  name: settings.name,
  ...(settings.id !== undefined && { id: settings.id }),
  failoverTimeout: settings.failoverTimeout,
  onOffer: launch,
  onStatus: (status) => say({ type: 'update', status }),
  acknowledges: ({ task_id }) => settings.acknowledges.includes(task_id.value),
  onAcknowledged: (status) => say({ type: 'acknowledged', status }),
  onSubscribed: (id) => say({ type: 'subscribed', id }),
});
void framework;

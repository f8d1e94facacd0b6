import type { Cancel } from '#base';
import { taskInfoOf } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import type { Encoding, ExecutorEvent, MessageCodec, TaskGroupInfo } from '#mesos/protocol';
import { asciiJson } from '#mesos/protocol';
import { encodeRecord, encodeTextRecord } from '#wire';
import { isTerminal } from '../emitted.ts';
import type { World } from '../world.ts';
import { EventStream } from './event-stream.ts';

const heartbeatMs = 30 * 60_000;
const backlogBytesMax = 16 * 2 ** 20;

/** What must outlive the agent of one executor: which tasks were handed over, whether it was there. */
export interface ExecutorNotes {
  readonly subscribed: boolean;
  /** It was ever handed a task. */
  readonly used: boolean;
  /** Uids of Task objects. */
  readonly sent: readonly string[];
}

/** A custom executor in its Pod: its stream of events, and what was sent on it. */
export class CustomExecutor {
  readonly podUid: string;
  readonly frameworkID: string;
  readonly executorID: string;
  readonly #world: World;
  readonly #notePath: string;
  #notes: ExecutorNotes | undefined;
  #noting: Promise<void> = Promise.resolve();
  #stream: EventStream | undefined;
  #encode: ((event: ExecutorEvent) => Uint8Array) | undefined;
  #heartbeat: Cancel = () => undefined;
  /** KILLs sent on this stream, by task uid, as they were. */
  readonly #kills = new Map<string, string>();
  /** Since when it has been without a stream; for the time it has to come back. */
  lostMs: number;
  shuttingDown = false;
  /** SUBSCRIBED was sent on the stream: tasks may follow. */
  ready = false;
  timedOut: 'registration' | 'reregistration' | undefined;

  constructor(
    world: World,
    of: {
      readonly podUid: string;
      readonly frameworkID: string;
      readonly executorID: string;
      readonly notesDir: string;
    },
  ) {
    this.#world = world;
    this.podUid = of.podUid;
    this.frameworkID = of.frameworkID;
    this.executorID = of.executorID;
    this.#notePath = `${of.notesDir}/executor.json`;
    this.lostMs = world.options.clock.nowMs();
  }

  get connected(): boolean {
    return this.#stream?.open === true;
  }

  async notes(): Promise<ExecutorNotes> {
    if (this.#notes === undefined) {
      const text = await this.#world.options.files.readText(this.#notePath);
      // Our own note, written whole or not at all.
      const read: ExecutorNotes =
        text === undefined ? { subscribed: false, used: false, sent: [] } : JSON.parse(text);
      this.#notes ??= read;
    }
    return this.#notes;
  }

  async #note(change: (notes: ExecutorNotes) => ExecutorNotes): Promise<void> {
    const read = await this.notes();
    // Others may have noted something since: what is there now is what changes.
    this.#notes = change(this.#notes ?? read);
    const write = async (): Promise<void> => {
      const text = JSON.stringify(this.#notes);
      await this.#world.options.files.write(this.#notePath, Buffer.from(text));
    };
    this.#noting = this.#noting.then(write, write);
    await this.#noting;
  }

  /** A new stream; an earlier one is closed. */
  async open(codec: MessageCodec, encoding: Encoding): Promise<EventStream> {
    this.close();
    const stream = new EventStream({
      backlogBytesMax,
      gone: () => {
        if (this.#stream !== stream) return;
        this.#lost();
      },
    });
    this.#stream = stream;
    this.ready = false;
    this.#encode = (event) =>
      encoding === 'json'
        ? encodeTextRecord(asciiJson(codec.encodeJson('executor.Event', event)))
        : encodeRecord(codec.encodeProtobuf('executor.Event', event));
    this.#kills.clear();
    this.#beat();
    if (!(await this.notes()).subscribed)
      await this.#note((notes) => ({ ...notes, subscribed: true }));
    return stream;
  }

  close(): void {
    this.#stream?.end();
    this.#lost();
  }

  #lost(): void {
    this.#stream = undefined;
    this.ready = false;
    this.#heartbeat();
    this.lostMs = this.#world.options.clock.nowMs();
  }

  #beat(): void {
    this.#heartbeat();
    this.#heartbeat = this.#world.options.clock.after(heartbeatMs, () => {
      this.send({ type: 'HEARTBEAT' });
      this.#beat();
    });
  }

  send(event: ExecutorEvent): boolean {
    if (this.#stream?.open !== true || this.#encode === undefined) return false;
    this.#stream.write(this.#encode(event));
    return true;
  }

  async wasSent(task: Task): Promise<boolean> {
    return (await this.notes()).sent.includes(task.metadata.uid);
  }

  /** Hands tasks over. Noted first: a task that may have been handed over is never handed over again. */
  async launch(tasks: readonly Task[]): Promise<void> {
    const uids = tasks.map(({ metadata }) => metadata.uid);
    const stream = this.#stream;
    await this.#note((notes) => ({
      ...notes,
      used: true,
      sent: [...notes.sent, ...uids],
    }));
    if (this.#stream !== stream) return;
    const [first] = tasks;
    if (first === undefined) return;
    if (first.spec.group === undefined) {
      for (const { spec } of tasks)
        this.send({ type: 'LAUNCH', launch: { task: taskInfoOf(spec) } });
      return;
    }
    const group: TaskGroupInfo = { tasks: tasks.map(({ spec }) => taskInfoOf(spec)) };
    this.send({ type: 'LAUNCH_GROUP', launch_group: { task_group: group } });
  }

  /** Once on each stream, and again when the kill changed. */
  kill(task: Task): void {
    const { kill } = task.spec;
    if (kill === undefined) return;
    const text = JSON.stringify(kill);
    if (this.#kills.get(task.metadata.uid) === text) return;
    const grace = kill.gracePeriodNanoseconds;
    const sent = this.send({
      type: 'KILL',
      kill: {
        task_id: { value: task.spec.taskID },
        ...(grace === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: grace } } }),
      },
    });
    if (sent) this.#kills.set(task.metadata.uid, text);
  }

  shutdown(): void {
    this.shuttingDown = true;
    this.send({ type: 'SHUTDOWN' });
  }

  /** What it still has to do with. */
  tasks(): readonly Task[] {
    const pod = this.#world.pods.by('uid', this.podUid)[0];
    const all =
      pod === undefined
        ? this.#world.tasks.list().filter(({ spec }) => this.#owns(spec))
        : this.#world.tasksOfPod(pod).filter(({ spec }) => this.#owns(spec));
    return all.filter(({ status }) => !isTerminal(status.state));
  }

  #owns(spec: Task['spec']): boolean {
    return (
      spec.execution === 'Custom' &&
      spec.frameworkID === this.frameworkID &&
      spec.executorID === this.executorID
    );
  }

  /** The task has ended and was told of: nothing of it must be kept. */
  async forget(task: Task): Promise<void> {
    const { uid } = task.metadata;
    this.#kills.delete(uid);
    if ((await this.notes()).sent.includes(uid))
      await this.#note((notes) => ({ ...notes, sent: notes.sent.filter((one) => one !== uid) }));
  }

  stop(): void {
    this.#heartbeat();
    this.#stream?.end();
  }
}

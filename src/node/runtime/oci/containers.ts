import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { closeSync, constants, openSync, unlinkSync, writeSync, type FSWatcher } from 'node:fs';
import { rm } from 'node:fs/promises';
import { constants as system } from 'node:os';
import { dirname, join } from 'node:path';
import type { Cancel, Clock, Logger } from '#base';
import { ContainerError } from '../runtime.ts';
import type { Container, ContainerSpec, ResourceLimits } from '../runtime.ts';
import { tryRun } from './command.ts';
import { signal, type Cgroups } from './cgroups.ts';
import { conmonPid, createUnderConmon, ociArgs, type ConmonPlace } from './conmon.ts';
import { codeOf, isMissing } from './namespace.ts';
import { removeMountPoints } from './mount-points.ts';
import type { Paths } from './paths.ts';
import { isAlive, isConmonOf, loadRecords, processStart } from './records.ts';
import { saveRecord, saveRecordSoon } from './records.ts';
import type { ContainerRecord } from './records.ts';
import { ociText } from './spec.ts';
import type { OciSpec } from './spec.ts';
import type { ResolvedUser } from './users.ts';

export interface ContainerPlace extends ConmonPlace {
  readonly paths: Paths;
  readonly cgroups: Cgroups;
  readonly clock: Clock;
  readonly logger: Logger;
}
/** What the caller has worked out for a new container. */
export interface ContainerPlan {
  readonly id: string;
  readonly sandboxId: string;
  readonly spec: ContainerSpec;
  readonly oci: OciSpec;
  readonly cgroup: string;
  readonly user: Pick<ResolvedUser, 'uid' | 'gid' | 'groups'>;
  readonly hidden: boolean;
  readonly mountRoot: string;
  readonly madeDirs: readonly string[];
}

const exitUnknown = 137;
const killWaitMs = 10_000;
const settleMs = 2_000;
/** Until then there is more urgent work: somebody waits to hear of the end. */
const saveDelayMs = 250;
/** How soon a container without its conmon is noticed. */
const holderCheckMs = 2_000;

/** A record that is about to be written. */
interface Saving {
  readonly now: AbortController;
  readonly done: Promise<void>;
}

export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/** The containers of a node, their records, and the watch for their ends. */
export class Containers {
  readonly #place: ContainerPlace;
  readonly #records = new Map<string, ContainerRecord>();
  readonly #listeners = new Set<(container: Container) => void>();
  readonly #endings = new Map<string, Set<() => void>>();
  readonly #saving = new Map<string, Saving>();
  #watcher: FSWatcher | undefined;
  #cancelCheck: Cancel = () => undefined;

  constructor(place: ContainerPlace) {
    this.#place = place;
  }

  /** Takes over what runs, and learns the exit codes of what ended meanwhile. */
  async adopt(): Promise<void> {
    const { paths } = this.#place;
    this.#watcher = watch(paths.exits, (_, name) => {
      if (name !== null && this.#records.has(name)) this.#ended(name);
    });
    const { records, broken } = loadRecords<ContainerRecord>(paths.containers);
    for (const id of broken) await this.#clear(id, undefined);
    for (const record of records) {
      this.#records.set(record.id, record);
      if (record.state === 'making') await this.remove(record.id);
      else if (record.state === 'created' || record.state === 'running') this.#revive(record);
    }
    this.#checkHolders();
  }

  /**
   * Looks whether each running container still has its conmon: without it nobody holds the streams
   * or will ever tell the exit code, so the container ends as lost. No event tells of a process
   * that is not our child.
   */
  #checkHolders(): void {
    for (const record of this.#records.values())
      if (record.state === 'running' && processStart(record.conmonPid ?? 0) === undefined)
        this.#revive(record);
    this.#cancelCheck = this.#place.clock.after(holderCheckMs, () => this.#checkHolders());
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    this.#cancelCheck();
    await Promise.all([...this.#saving.keys()].map((id) => this.#saved(id)));
  }

  list(): readonly Container[] {
    return [...this.#records.values()]
      .filter((it) => !it.hidden && it.state !== 'making')
      .map(shown);
  }
  get(id: string): Container | undefined {
    const record = this.#records.get(id);
    return record === undefined || record.hidden ? undefined : shown(record);
  }
  record(id: string): ContainerRecord | undefined {
    return this.#records.get(id);
  }
  of(sandboxId: string): readonly ContainerRecord[] {
    return [...this.#records.values()].filter((record) => record.sandboxId === sandboxId);
  }
  folder(id: string): string {
    return join(this.#place.paths.containers, id);
  }
  onChange(listener: (container: Container) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async create(plan: ContainerPlan): Promise<Container> {
    const { clock } = this.#place;
    const { id, sandboxId, spec, cgroup, user, hidden, madeDirs } = plan;
    const bundle = this.folder(id);
    const record: ContainerRecord = {
      id,
      sandboxId,
      spec,
      cgroup,
      uid: user.uid,
      gid: user.gid,
      groups: user.groups,
      hidden,
      madeDirs,
      state: 'making',
      createdMs: clock.nowMs(),
      startedMs: undefined,
      finishedMs: undefined,
      exitCode: undefined,
      oomKilled: false,
      message: '',
      pid: undefined,
      pidStart: undefined,
      conmonPid: undefined,
    };
    this.#records.set(id, record);
    try {
      for (const name of ['rootfs', 'upper', 'work'])
        mkdirSync(join(bundle, name), { recursive: true, mode: 0o755 });
      saveRecord(this.#place.paths.containers, record);
      writeFileSync(join(bundle, 'config.json'), ociText(plan.oci), { mode: 0o600 });
      mkdirSync(dirname(spec.logPath), { recursive: true });
      const pid = await createUnderConmon(this.#place, {
        id,
        bundle,
        name: spec.name,
        logPath: spec.logPath,
        tty: spec.tty,
        stdin: spec.stdin,
        stdinOnce: spec.stdinOnce,
        mountRoot: plan.mountRoot,
      });
      return shown(
        this.#save({
          ...record,
          state: 'created',
          pid,
          pidStart: processStart(pid),
          conmonPid: conmonPid(bundle),
        }),
      );
    } catch (cause) {
      await this.remove(id);
      throw cause;
    }
  }

  async start(id: string): Promise<void> {
    const record = this.#need(id);
    const { prefix, oci, clock } = this.#place;
    if (!openGate(this.#place, id)) {
      const result = await tryRun([...prefix, oci, ...ociArgs(this.#place), 'start', id]);
      if (result.code !== 0)
        throw new ContainerError(
          'RunContainerError',
          `Cannot start container "${record.spec.name}": ${result.stderr.trim()}`,
        );
    }
    const now = this.#records.get(id);
    // It may have run and ended before the runtime's `start` came back.
    if (now === undefined) return;
    if (now.state === 'created')
      this.#change({ ...now, state: 'running', startedMs: clock.nowMs() });
    else if (now.startedMs === undefined)
      this.#change({ ...now, startedMs: Math.min(clock.nowMs(), now.finishedMs ?? Infinity) });
    this.#ended(id);
  }

  async stop(id: string, name: string, graceMs: number): Promise<void> {
    const record = this.#records.get(id);
    if (record?.pid === undefined || !isRunning(record)) return;
    if (record.state === 'running' && graceMs > 0) {
      if (isAlive(record.pid, record.pidStart)) signal(record.pid, signalOf(name));
      if (await this.#awaitEnd(id, graceMs)) return;
    }
    await this.kill(id);
  }

  /** To the main process alone; false when there is none. */
  signal(id: string, wanted: number): boolean {
    const record = this.#records.get(id);
    if (record?.state !== 'running' || record.pid === undefined) return false;
    if (!isAlive(record.pid, record.pidStart)) return false;
    return signal(record.pid, wanted);
  }

  /** SIGKILL to the whole cgroup, and the end of it awaited. */
  async kill(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined || !isRunning(record)) return;
    if (isAlive(record.pid, record.pidStart)) signal(record.pid ?? 0, 'SIGKILL');
    this.#place.cgroups.kill(record.cgroup);
    if (await this.#awaitEnd(id, killWaitMs)) return;
    // conmon itself has gone, so no exit code will ever come.
    if (!isAlive(record.pid, record.pidStart)) this.#lost(record);
    else throw new Error(`Cannot end container "${record.spec.name}": it survives SIGKILL`);
  }

  updateResources(id: string, resources: ResourceLimits): void {
    const record = this.#need(id);
    this.#place.cgroups.limit(record.cgroup, resources);
    const merged = { ...record.spec.resources, ...resources };
    this.#save({ ...record, spec: { ...record.spec, resources: merged } });
  }

  async remove(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    if (record.state !== 'making' && isRunning(record)) await this.kill(id);
    await this.#saved(id);
    await this.#clear(id, record);
    this.#records.delete(id);
  }

  /** Everything a container may have left, whether or not its record is whole. */
  async #clear(id: string, record: ContainerRecord | undefined): Promise<void> {
    const { prefix, oci, paths, cgroups } = this.#place;
    const conmon = record?.conmonPid ?? conmonPid(this.folder(id));
    if (record !== undefined) cgroups.kill(record.cgroup);
    if (conmon !== undefined && isConmonOf(conmon, id)) await this.#conmonEnd(conmon, id);
    await tryRun([...prefix, oci, ...ociArgs(this.#place), 'delete', '--force', id]);
    if (record !== undefined) cgroups.remove(record.cgroup);
    rmSync(join(paths.exits, id), { force: true });
    rmSync(join(paths.sockets, id), { force: true, recursive: true });
    removeMountPoints(record?.madeDirs ?? []);
    await rm(this.folder(id), { recursive: true, force: true });
  }

  /** conmon ends by itself shortly after its container; one that does not is ended. */
  async #conmonEnd(pid: number, id: string): Promise<void> {
    const untilMs = this.#place.clock.monotonicMs() + settleMs;
    while (isConmonOf(pid, id)) {
      if (this.#place.clock.monotonicMs() > untilMs) signal(pid, 'SIGKILL');
      await this.#place.clock.sleep(2);
    }
  }

  /** A container that a former agent knew as alive. */
  #revive(record: ContainerRecord): void {
    if (this.#ended(record.id)) return;
    const alive = isAlive(record.pid, record.pidStart);
    if (alive && isConmonOf(record.conmonPid, record.id)) {
      if (record.state === 'created' && this.#wasStarted(record.id))
        this.#save({ ...record, state: 'running', startedMs: this.#place.clock.nowMs() });
      return;
    }
    if (isConmonOf(record.conmonPid, record.id)) return; // it is about to write the exit file
    // Nobody holds its streams or will learn its end: it cannot go on.
    if (alive) this.#place.cgroups.kill(record.cgroup);
    this.#lost(record);
  }

  /** crun and runc keep the start gate as a FIFO until `start`. */
  #wasStarted(id: string): boolean {
    try {
      statSync(join(this.#place.ociRoot, id, 'exec.fifo'));
      return false;
    } catch (cause) {
      if (isMissing(cause)) return true;
      throw cause;
    }
  }

  #lost(record: ContainerRecord): void {
    const message = 'The process that held the container (conmon) was killed: its end is unknown';
    const finishedMs = this.#place.clock.nowMs();
    this.#change({ ...record, state: 'exited', exitCode: exitUnknown, finishedMs, message });
  }

  /** Reads the exit file that conmon writes, if it is there. */
  #ended(id: string): boolean {
    const record = this.#records.get(id);
    if (record === undefined || !isRunning(record)) return false;
    const path = join(this.#place.paths.exits, id);
    try {
      const text = readFileSync(path, 'utf8').trim();
      if (text === '') return false;
      const finishedMs = Math.round(statSync(path).mtimeMs);
      const exitCode = Number(text);
      const oomKilled = this.#place.cgroups.oomKills(record.cgroup) > 0;
      this.#change({ ...record, state: 'exited', exitCode, finishedMs, oomKilled });
      // Children that left the PID namespace's care (shared or host PID) end with it.
      this.#place.clock.after(0, () => this.#place.cgroups.kill(record.cgroup));
      return true;
    } catch (cause) {
      if (isMissing(cause)) return false;
      throw cause;
    }
  }

  #awaitEnd(id: string, withinMs: number): Promise<boolean> {
    if (this.#ended(id)) return Promise.resolve(true);
    const record = this.#records.get(id);
    if (record === undefined || !isRunning(record)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const set = this.#endings.get(id) ?? new Set();
      this.#endings.set(id, set);
      const settle = (ended: boolean): void => {
        set.delete(done);
        cancel();
        resolve(ended);
      };
      const done = (): void => settle(true);
      const cancel = this.#place.clock.after(withinMs, () => settle(this.#ended(id)));
      set.add(done);
    });
  }

  #need(id: string): ContainerRecord {
    const record = this.#records.get(id);
    if (record === undefined)
      throw new ContainerError('RunContainerError', `Cannot find container "${id}"`);
    return record;
  }
  #save(record: ContainerRecord): ContainerRecord {
    this.#records.set(record.id, record);
    if (record.state === 'exited') this.#saveSoon(record);
    else saveRecord(this.#place.paths.containers, record);
    return record;
  }
  /**
   * Who waits for an end waits for no disk: until it is written, the exit file says the same. Never
   * two writes of one record at a time, the newest last.
   */
  #saveSoon(first: ContainerRecord): void {
    const { paths, logger, clock } = this.#place;
    const { id } = first;
    if (this.#saving.has(id)) return;
    const save = async (): Promise<void> => {
      let saved: ContainerRecord | undefined;
      for (let now = this.#records.get(id); now !== saved; now = this.#records.get(id)) {
        if (now === undefined) return;
        await saveRecordSoon(paths.containers, now);
        saved = now;
      }
    };
    const now = new AbortController();
    const done = clock
      .sleep(saveDelayMs, now.signal)
      .then(save, save)
      .catch((error: unknown) => logger.warn('Cannot note the end of a container', { id, error }))
      .finally(() => this.#saving.delete(id));
    this.#saving.set(id, { now, done });
  }
  /** At once, whatever of it still waits to be written. */
  async #saved(id: string): Promise<void> {
    const saving = this.#saving.get(id);
    saving?.now.abort();
    await saving?.done;
  }
  #change(record: ContainerRecord): void {
    this.#save(record);
    if (record.state === 'exited') {
      const endings = this.#endings.get(record.id);
      this.#endings.delete(record.id);
      for (const ending of endings ?? []) ending();
    }
    if (record.hidden) return;
    for (const listener of this.#listeners) listener(shown(record));
  }
}

/**
 * What `crun start` does, without the 7 ms of a process: the container waits for a byte from the FIFO
 * in its state folder. runc waits the other way round, so it is asked itself.
 */
function openGate(place: ContainerPlace, id: string): boolean {
  if (!place.oci.endsWith('crun')) return false;
  const path = join(place.ociRoot, id, 'exec.fifo');
  try {
    const gate = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      unlinkSync(path);
      return writeSync(gate, '1') === 1;
    } finally {
      closeSync(gate);
    }
  } catch (cause) {
    // ENXIO: nobody waits there. crun itself says best what is the matter.
    if (isMissing(cause) || codeOf(cause) === 'ENXIO') return false;
    throw cause;
  }
}

export function isRunning(record: ContainerRecord): boolean {
  return record.state === 'making' || record.state === 'created' || record.state === 'running';
}

function shown(record: ContainerRecord): Container {
  const { id, sandboxId, spec, createdMs, startedMs, finishedMs, exitCode, uid } = record;
  const { oomKilled, message, gid, groups } = record;
  const running = record.state === 'created' || record.state === 'running';
  return {
    id,
    sandboxId,
    spec,
    createdMs,
    startedMs,
    finishedMs,
    exitCode,
    uid,
    gid,
    groups,
    oomKilled,
    message,
    state: record.state === 'making' ? 'unknown' : record.state,
    pid: running ? record.pid : undefined,
    exitSignal:
      exitCode !== undefined && exitCode > 128 && exitCode <= 192 ? exitCode - 128 : undefined,
  };
}

/** "SIGTERM", "TERM", "15", "SIGRTMIN+3" to a number; SIGTERM for what nobody knows. */
export function signalOf(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const upper = name.toUpperCase();
  const full = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const realtime = /^SIGRTMIN(?:\+(\d+))?$/.exec(full);
  if (realtime !== null) return 34 + Number(realtime[1] ?? 0);
  const known: Readonly<Record<string, number>> = system.signals;
  return known[full] ?? system.signals.SIGTERM;
}

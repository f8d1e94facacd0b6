import { formatMicroTime, timeOr, type Cancel } from '#base';
import { isStatus, type NewObject } from '#machinery';
import { frameworks as frameworkKind, namespaceOf, objectName, type Framework } from '#mesos/kinds';
import {
  CallRejected,
  frameworkRoles,
  validateFrameworkUpdate,
  validateRole,
  type FrameworkInfo,
  type SchedulerCall,
  type SchedulerConnection,
  type SchedulerEvent,
  type Subscriber,
} from '#mesos/protocol';
import { FrameworkBook, type Stream } from './books.ts';
import type { Core } from './core.ts';
import type { Counters } from './counters.ts';
import {
  applySubscription,
  infoProblem,
  settingsProblem,
  subscriptionOf,
  type Subscription,
} from './framework-info.ts';
import { masterInfo } from './master-info.ts';
import { openStream } from './stream.ts';

const completedMax = 50;
const countEveryMs = 2000;
/** A timer of the runtime counts in a signed 32-bit integer of milliseconds. */
const timerMsMax = 2 ** 31 - 1;

/** The life of frameworks: subscription, failover, disconnection, removal (mesos.md 2.1 and 2.10). */
export class Frameworks {
  readonly #core: Core;
  #made = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  async subscribe(call: SchedulerCall, subscriber: Subscriber): Promise<SchedulerConnection> {
    const { counters, recovered, books } = this.#core;
    if (!recovered) throw new CallRejected(503, 'Master has not finished recovery');
    const subscription = subscriptionOf(call);
    if (subscription === undefined)
      throw new CallRejected(
        400,
        "Failed to validate scheduler::Call: Expecting 'subscribe' to be present",
      );
    const known = books.frameworks.get(subscription.info.id?.value ?? '');
    counters.add(`master/messages_${known === undefined ? 'register' : 'reregister'}_framework`);
    const problem =
      this.#problemOf(subscription) ??
      registrationProblem(subscription, subscriber) ??
      principalProblem(known, subscription, subscriber);
    if (problem !== undefined) return refuse(problem, subscriber);
    const info = withPrincipal(subscription.info, subscriber);
    const book = known ?? (await this.#register({ ...subscription, info }, subscriber));
    if (typeof book === 'string') return refuse(book, subscriber);
    return this.#attach(book, { ...subscription, info }, subscriber);
  }

  #problemOf(subscription: Subscription): string | undefined {
    return (
      infoProblem(subscription.info, (id) => this.isCompleted(id)) ?? settingsProblem(subscription)
    );
  }

  isCompleted(id: string): boolean {
    return this.#core.books.completedFrameworks.some((framework) => framework.id === id);
  }

  /** A framework nobody knows: stored before it is told its id. */
  async #register(
    subscription: Subscription,
    subscriber: Subscriber,
  ): Promise<FrameworkBook | string> {
    const { books, options } = this.#core;
    const given = subscription.info.id?.value ?? '';
    const id = given === '' ? this.#nextID() : given;
    const info: FrameworkInfo = { ...subscription.info, id: { value: id } };
    const book = new FrameworkBook({
      id,
      info,
      namespace: namespaceOf(info.name),
      objectName: objectName(info.name, id),
    });
    book.registeredMs = options.clock.nowMs();
    book.principal = subscriber.principal;
    try {
      await options.api.create(frameworkKind, objectOf(book, subscription));
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) {
        this.#core.logger.warn('A framework could not be stored', { framework: id, error });
        return `Framework could not be stored: ${error instanceof Error ? error.message : ''}`;
      }
    }
    const rival = books.frameworks.get(id);
    if (rival !== undefined) return rival;
    if (this.isCompleted(id)) return 'Framework has been removed';
    books.frameworks.set(id, book);
    applySubscription(book, { ...subscription, info });
    return book;
  }

  #nextID(): string {
    const number = String(this.#made++).padStart(4, '0');
    return `${this.#core.books.masterID}-${number}`;
  }

  /** The stream becomes the framework's; what was open before ends. */
  #attach(book: FrameworkBook, subscription: Subscription, subscriber: Subscriber): Stream {
    const { options, offers, cycle, updates } = this.#core;
    const fresh = book.stream === undefined && book.reregisteredMs === undefined && !book.recovered;
    if (!fresh) this.#replace(book, subscription);
    this.send(book, { type: 'ERROR', error: { message: 'Framework failed over' } });
    const old = book.stream;
    book.stream = undefined;
    old?.end();
    old?.subscriber.closed();
    offers.dropAll(book);
    book.failover?.();
    book.failover = undefined;
    book.recovered = false;
    book.principal = subscriber.principal;
    book.reregisteredMs = fresh ? book.registeredMs : options.clock.nowMs();
    countCall(this.#core.counters, book, 'SUBSCRIBE');
    const stream = openStream(this.#core, book, subscriber);
    book.stream = stream;
    stream.start({
      type: 'SUBSCRIBED',
      subscribed: {
        framework_id: { value: book.id },
        heartbeat_interval_seconds: 15,
        master_info: masterInfo(this.#core.books.masterID, options),
      },
    });
    if (!fresh) void this.#save(book);
    const type = fresh ? 'FRAMEWORK_ADDED' : 'FRAMEWORK_UPDATED';
    this.#core.announce({ type, framework: book });
    updates.resume(book);
    this.#core.operations.resume(book);
    cycle.framework(book);
    return stream;
  }

  #replace(book: FrameworkBook, subscription: Subscription): void {
    const before = book.roles;
    // Of a framework that subscribes again, user and checkpoint stay as they were.
    const { user, checkpoint } = book.info;
    const info = { ...subscription.info, id: { value: book.id }, user, checkpoint };
    applySubscription(book, { ...subscription, info });
    this.#rolesChanged(book, before);
  }

  #rolesChanged(book: FrameworkBook, before: ReadonlySet<string>): void {
    const { offers, cycle } = this.#core;
    for (const role of before)
      if (!book.roles.has(role)) {
        for (const offer of book.offers) if (offer.role === role) offers.rescind(offer);
      }
    // Filters of roles that are left or wanted again go with the new settings.
    cycle.settingsChanged(book);
  }

  /** UPDATE_FRAMEWORK: the answer is the call's own. */
  update(book: FrameworkBook, call: SchedulerCall): void {
    const subscription = subscriptionOf(call);
    if (subscription === undefined)
      throw new CallRejected(400, "Expecting 'update_framework' to be present");
    const invalid = infoProblem(subscription.info, (id) => this.isCompleted(id));
    if (invalid !== undefined)
      throw new CallRejected(400, `Supplied FrameworkInfo is not valid: ${invalid}`);
    const changed = validateFrameworkUpdate(book.info, subscription.info);
    if (changed !== undefined)
      throw new CallRejected(400, `FrameworkInfo update is not valid: ${changed}`);
    const settings = settingsProblem(subscription);
    if (settings !== undefined)
      throw new CallRejected(400, `'UpdateFramework' call is not valid: ${settings}`);
    const subscriber = book.stream?.subscriber;
    const refused = subscriber && registrationProblem(subscription, subscriber);
    if (refused !== undefined) throw new CallRejected(403, refused);
    const before = book.roles;
    applySubscription(book, subscription);
    this.#rolesChanged(book, before);
    void this.#save(book);
    this.#core.announce({ type: 'FRAMEWORK_UPDATED', framework: book });
    this.#core.updates.resume(book);
  }

  /** Empty: all roles. An invalid role, or one that is not subscribed to, makes the call void. */
  revive(book: FrameworkBook, roles: readonly string[]): void {
    if (!roles.every((role) => validateRole(role) === undefined && book.roles.has(role))) return;
    const chosen = roles.length === 0 ? [...book.roles] : roles;
    for (const role of chosen) book.suppressedRoles.delete(role);
    this.#core.cycle.revive(book, chosen);
    void this.#save(book);
  }

  suppress(book: FrameworkBook, roles: readonly string[]): void {
    if (!roles.every((role) => validateRole(role) === undefined && book.roles.has(role))) return;
    for (const role of roles.length === 0 ? book.roles : roles) book.suppressedRoles.add(role);
    this.#core.cycle.settingsChanged(book);
    void this.#save(book);
  }

  /** The stream is gone: the framework has its failover timeout to come back. */
  disconnect(book: FrameworkBook, stream: Stream): void {
    if (book.stream !== stream) return;
    const { offers, cycle, updates, logger } = this.#core;
    book.stream = undefined;
    stream.end();
    offers.dropAll(book);
    cycle.forget(book);
    updates.pause(book);
    logger.info('Framework disconnected', { framework: book.id, name: book.info.name });
    const timeoutMs = Math.max(0, (book.info.failover_timeout ?? 0) * 1000);
    void this.#save(book);
    book.failover = this.#after(timeoutMs, () => void this.remove(book));
  }

  #after(delayMs: number, action: () => void): Cancel {
    const { clock } = this.#core.options;
    let cancel: Cancel;
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, timerMsMax);
      cancel = clock.after(stepMs, () => (leftMs > stepMs ? wait(leftMs - stepMs) : action()));
    };
    wait(delayMs);
    return () => cancel();
  }

  /** TEARDOWN, by the framework, an operator or its failover timeout. */
  async remove(book: FrameworkBook): Promise<void> {
    const { books, options, offers, cycle, updates, tasks, executors } = this.#core;
    if (book.removed) return;
    book.removed = true;
    book.failover?.();
    const stream = book.stream;
    book.stream = undefined;
    offers.dropAll(book);
    cycle.forget(book);
    updates.pause(book);
    book.unregisteredMs = options.clock.nowMs();
    const stored = [this.#save(book)];
    stored.push(...executors.shutdownAll(book));
    this.#core.operations.forgetFramework(book);
    books.frameworks.delete(book.id);
    books.completedFrameworks.push(book);
    stream?.end();
    stream?.subscriber.closed();
    this.#core.announce({ type: 'FRAMEWORK_REMOVED', framework: book });
    this.#core.counters.add('master/messages_unregister_framework');
    this.#trim();
    await Promise.all([...stored, tasks.endAll(book)]);
  }

  #trim(): void {
    const { books, options, tasks, logger, counters } = this.#core;
    while (books.completedFrameworks.length > completedMax) {
      const oldest = books.completedFrameworks.shift();
      if (oldest === undefined) return;
      tasks.forgetFramework(oldest);
      counters.drop(metricsPrefix(oldest));
      options.api
        .delete(frameworkKind, { name: oldest.objectName })
        .catch((error: unknown) => logger.warn('A completed framework stays', { error }));
    }
  }

  send(book: FrameworkBook, event: SchedulerEvent): boolean {
    if (book.stream === undefined) return false;
    const { counters } = this.#core;
    const prefix = metricsPrefix(book);
    counters.add(`${prefix}events`);
    counters.add(`${prefix}events/${(event.type ?? 'UNKNOWN').toLowerCase()}`);
    book.stream.subscriber.event(event);
    return true;
  }

  /** FAILURE and the like: to everybody who listens. */
  broadcast(event: SchedulerEvent): void {
    for (const book of this.#core.books.frameworks.values()) this.send(book, event);
  }

  /** Somebody deleted the object: as TEARDOWN does. */
  vanished(id: string): void {
    const { books } = this.#core;
    const book = books.frameworks.get(id);
    if (book !== undefined) void this.remove(book);
    const at = books.completedFrameworks.findIndex((framework) => framework.id === id);
    const [completed] = at < 0 ? [] : books.completedFrameworks.splice(at, 1);
    if (completed !== undefined) this.#core.tasks.forgetFramework(completed);
  }

  /** The number of tasks is for people who list frameworks: written now and then. */
  counted(book: FrameworkBook): void {
    if (book.counting || book.removed) return;
    book.counting = true;
    this.#core.options.clock.after(countEveryMs, () => {
      book.counting = false;
      if (book.removed || !this.#core.recovered) return;
      void this.#core.lanes.frameworks.change(book.objectName, (object) =>
        object.status.tasks === book.tasks.size
          ? undefined
          : { ...object, status: { ...object.status, tasks: book.tasks.size } },
      );
    });
  }

  /** From the store, at start. */
  recover(object: Framework): FrameworkBook {
    const { books } = this.#core;
    const { spec, status } = object;
    const book = new FrameworkBook({
      id: spec.frameworkID,
      info: spec.info,
      namespace: spec.namespace,
      objectName: object.metadata.name,
    });
    applySubscription(book, {
      info: spec.info,
      suppressedRoles: spec.suppressedRoles ?? [],
      offerConstraints: spec.offerConstraints,
    });
    book.registeredMs = timeOr(status?.registeredTime, 0);
    book.reregisteredMs = optionalTime(status?.reregisteredTime);
    book.unregisteredMs = optionalTime(status?.unregisteredTime);
    if (status?.phase === 'Completed') {
      book.removed = true;
      books.completedFrameworks.push(book);
    } else {
      book.recovered = true;
      books.frameworks.set(book.id, book);
    }
    return book;
  }

  #save(book: FrameworkBook): Promise<boolean> {
    const spec = specOf(book, {
      info: book.info,
      suppressedRoles: [...book.suppressedRoles],
      offerConstraints: book.offerConstraints,
    });
    const status = statusOf(book, this.#core.options.clock.nowMs());
    return this.#core.lanes.frameworks.change(book.objectName, (object) => ({
      ...object,
      spec,
      status,
    }));
  }
}

export function countCall(counters: Counters, book: FrameworkBook, type: string): void {
  const prefix = metricsPrefix(book);
  counters.add(`${prefix}calls`);
  counters.add(`${prefix}calls/${type.toLowerCase()}`);
}

export function metricsPrefix(book: FrameworkBook): string {
  // libprocess http::encode escapes the tilde too.
  const name = encodeURIComponent(book.info.name).replaceAll('~', '%7E');
  return `master/frameworks/${name}/${book.id}/`;
}

/** Check 12. */
function registrationProblem({ info }: Subscription, subscriber: Subscriber): string | undefined {
  const roles = [...frameworkRoles(info)].toSorted();
  const about = { frameworkName: info.name, principal: info.principal, user: info.user };
  const allowed = (role: string): boolean =>
    subscriber.allows?.('register_frameworks', { ...about, role }) ?? true;
  if (roles.every(allowed)) return undefined;
  return `Not authorized to register framework ${info.id?.value ?? ''} with roles { ${roles.join(', ')} }`;
}

function optionalTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : timeOr(text, 0);
}

function principalProblem(
  known: FrameworkBook | undefined,
  { info }: Subscription,
  subscriber: Subscriber,
): string | undefined {
  if (known === undefined) return undefined;
  return known.info.principal === withPrincipal(info, subscriber).principal
    ? undefined
    : "Changing framework's principal is not allowed.";
}

/** If authenticated and unset, the principal is the authenticated one. */
function withPrincipal(info: FrameworkInfo, subscriber: Subscriber): FrameworkInfo {
  if (info.principal !== undefined || subscriber.principal === undefined) return info;
  return { ...info, principal: subscriber.principal };
}

/** A subscription that fails is told so on its stream. */
function refuse(message: string, subscriber: Subscriber): SchedulerConnection {
  subscriber.event({ type: 'ERROR', error: { message } });
  subscriber.closed();
  return {
    frameworkID: '',
    streamID: '',
    call: () => Promise.reject(new CallRejected(403, 'Framework is not subscribed')),
    close() {},
  };
}

function specOf(book: FrameworkBook, subscription: Subscription): Framework['spec'] {
  return {
    frameworkID: book.id,
    info: subscription.info,
    namespace: book.namespace,
    ...(subscription.suppressedRoles.length > 0 && {
      suppressedRoles: subscription.suppressedRoles,
    }),
    ...(subscription.offerConstraints !== undefined && {
      offerConstraints: subscription.offerConstraints,
    }),
  };
}

function statusOf(book: FrameworkBook, nowMs: number): Framework['status'] {
  const time = formatMicroTime;
  return {
    tasks: book.tasks.size,
    phase: book.removed ? 'Completed' : book.connected ? 'Active' : 'Disconnected',
    registeredTime: time(book.registeredMs),
    ...(book.reregisteredMs !== undefined && { reregisteredTime: time(book.reregisteredMs) }),
    ...(!book.connected && !book.removed && { disconnectedTime: time(nowMs) }),
    ...(book.unregisteredMs !== undefined && { unregisteredTime: time(book.unregisteredMs) }),
  };
}

function objectOf(book: FrameworkBook, subscription: Subscription): NewObject<Framework> {
  return {
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'Framework',
    metadata: { name: book.objectName },
    spec: specOf(book, { ...subscription, info: { ...subscription.info, id: { value: book.id } } }),
    status: { ...statusOf(book, book.registeredMs), phase: 'Active' },
  };
}

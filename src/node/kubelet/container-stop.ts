import type { Container as ContainerSpec, Pod } from '#kube/kinds';
import type { Container } from '#node/runtime';
import { limits } from '#base';
import { messageOf } from './errors.ts';
import { runHook } from './hooks.ts';
import type { ContainerEvent } from './images.ts';
import type { PodContext } from './pod-context.ts';

export interface StopRequest {
  readonly pod: Pod;
  readonly spec: ContainerSpec | undefined;
  readonly ip: string;
  readonly graceMs: number;
  readonly message: string;
  readonly event: ContainerEvent;
  /** Resolves when proxies have let go of the Pod; undefined when they need not. */
  readonly dropped: Promise<void> | undefined;
  readonly signal: AbortSignal;
}

const minimumGraceMs = 2000;

/** preStop, then SIGTERM, then SIGKILL, all within the grace. */
export async function stopContainer(
  context: PodContext,
  container: Container,
  request: StopRequest,
): Promise<void> {
  const { runtime, clock } = context.options;
  const { graceMs, spec, event, signal } = request;
  const name = container.spec.name;
  event(name, 'Normal', { reason: 'Killing', message: request.message });
  const beganMs = clock.nowMs();
  const preStop = spec?.lifecycle?.preStop;
  const hook = preStop !== undefined && graceMs > 0 && container.state === 'running';
  await Promise.all([
    hook && spec !== undefined
      ? preStopHook(context, container, { ...request, spec, handler: preStop })
      : undefined,
    graceMs > 0 ? bounded(context, request) : undefined,
    graceMs > 0 && container.state === 'running' ? told(context, name, request) : undefined,
  ]);
  signal.throwIfAborted();
  const left = graceMs - (clock.nowMs() - beganMs);
  const stopSignal = spec?.lifecycle?.stopSignal;
  await runtime.stopContainer(container.id, {
    graceMs: graceMs === 0 ? 0 : Math.max(left, hook ? minimumGraceMs : 0),
    ...(stopSignal === undefined ? {} : { signal: stopSignal }),
  });
}

async function preStopHook(
  context: PodContext,
  container: Container,
  request: StopRequest & {
    readonly spec: ContainerSpec;
    readonly handler: NonNullable<NonNullable<ContainerSpec['lifecycle']>['preStop']>;
  },
): Promise<void> {
  const { clock } = context.options;
  const { handler, spec, graceMs, event, signal } = request;
  const stop = new AbortController();
  const timer = clock.after(graceMs, () => stop.abort());
  const target = { containerId: container.id, spec, ip: request.ip };
  const both = AbortSignal.any([stop.signal, signal]);
  try {
    await Promise.race([
      runHook({ ...context.tools, clock }, target, { handler, timeoutMs: graceMs, signal: both }),
      aborted(both),
    ]);
  } catch (error) {
    if (!both.aborted) {
      context.options.logger.info('preStop hook failed', { container: container.id, error });
      event(spec.name, 'Warning', {
        reason: 'FailedPreStopHook',
        message: `PreStopHook failed: ${messageOf(error)}`,
      });
    }
  } finally {
    timer();
  }
}

/** The extension may have its own way of asking a container to end. */
async function told(context: PodContext, name: string, request: StopRequest): Promise<void> {
  const { extension, clock, logger } = context.options;
  const { pod, graceMs, signal } = request;
  if (extension?.beforeStop === undefined || !extension.handles(pod)) return;
  const stop = new AbortController();
  const waited = clock
    .sleep(graceMs, AbortSignal.any([stop.signal, signal]))
    .catch(() => undefined);
  const answer = extension.beforeStop(pod, name, graceMs).catch((error: unknown) => {
    logger.warn('Cannot ask a container to end', {
      pod: pod.metadata.name,
      container: name,
      error,
    });
  });
  await Promise.race([answer, waited]);
  stop.abort();
}

async function bounded(context: PodContext, request: StopRequest): Promise<void> {
  if (request.dropped === undefined) return;
  const stop = new AbortController();
  const waited = context.options.clock
    .sleep(limits.endpointDropWaitMsMax, AbortSignal.any([stop.signal, request.signal]))
    .catch(() => undefined);
  await Promise.race([request.dropped.catch(() => undefined), waited]);
  stop.abort();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

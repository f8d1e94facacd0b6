import { httpHeaderName, portNumberOrName } from '#machinery';
import type { Field } from '../shared/field.ts';
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../types/core-v1.ts';

interface Handler {
  readonly exec?: ExecAction | undefined;
  readonly httpGet?: HTTPGetAction | undefined;
  readonly tcpSocket?: TCPSocketAction | undefined;
  readonly grpc?: GRPCAction | undefined;
  readonly sleep?: SleepAction | undefined;
}
const kinds = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function checkHandler(handler: Handler, field: Field, graceSeconds: number | undefined): void {
  let given = 0;
  for (const kind of kinds) {
    if (handler[kind] === undefined) continue;
    given++;
    if (given > 1) field.at(kind).forbidden('may not specify more than 1 handler type');
    else checkAction(handler, field.at(kind), graceSeconds);
  }
  if (given === 0) field.required('must specify a handler type');
}

function checkAction(handler: Handler, field: Field, graceSeconds: number | undefined): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec !== undefined) {
    if ((exec.command ?? []).length === 0) field.at('command').required();
  } else if (httpGet !== undefined) checkHttpGet(httpGet, field);
  else if (tcpSocket !== undefined)
    field.at('port').invalidAll(tcpSocket.port, portNumberOrName(tcpSocket.port));
  else if (grpc !== undefined) field.at('port').invalidAll(grpc.port, portNumberOrName(grpc.port));
  else if (
    sleep !== undefined &&
    graceSeconds !== undefined &&
    (sleep.seconds < 0 || sleep.seconds > graceSeconds)
  )
    field.invalid(
      sleep.seconds,
      `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
    );
}

function checkHttpGet({ path, port, scheme, httpHeaders }: HTTPGetAction, field: Field): void {
  if (!path) field.at('path').required();
  field.at('port').invalidAll(port, portNumberOrName(port));
  if (scheme !== 'HTTP' && scheme !== 'HTTPS')
    field.at('scheme').notSupported(scheme ?? '', ['HTTP', 'HTTPS']);
  for (const { name } of httpHeaders ?? [])
    field.at('httpHeaders').invalidAll(name, httpHeaderName(name));
}

/** One probe. `mustBeOnce`: liveness and startup succeed at the first success. */
export function checkProbe(
  probe: Probe | undefined,
  field: Field,
  options: { readonly mustBeOnce?: boolean; readonly noGrace?: boolean } = {},
): void {
  if (probe === undefined) return;
  checkHandler(probe, field, undefined);
  field.at('initialDelaySeconds').notNegative(probe.initialDelaySeconds);
  field.at('timeoutSeconds').notNegative(probe.timeoutSeconds);
  field.at('periodSeconds').notNegative(probe.periodSeconds);
  field.at('successThreshold').notNegative(probe.successThreshold);
  field.at('failureThreshold').notNegative(probe.failureThreshold);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0)
    field.at('terminationGracePeriodSeconds').invalid(grace, 'must be greater than 0');
  if (options.mustBeOnce === true && probe.successThreshold !== 1)
    field.at('successThreshold').invalid(probe.successThreshold ?? 0, 'must be 1');
  if (options.noGrace === true && grace !== undefined)
    field.at('terminationGracePeriodSeconds').invalid(grace, 'must not be set for readinessProbes');
}

export function checkLifecycle(
  lifecycle: Lifecycle | undefined,
  field: Field,
  graceSeconds: number | undefined,
): void {
  if (lifecycle === undefined) return;
  const { postStart, preStop } = lifecycle;
  const check = (handler: LifecycleHandler | undefined, name: string): void => {
    if (handler !== undefined) checkHandler(handler, field.at(name), graceSeconds);
  };
  check(postStart, 'postStart');
  check(preStop, 'preStop');
}

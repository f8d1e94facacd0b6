import type { FaceReply } from '#base';
import { marathonLogger, rootLogger } from '../engine/levels.ts';
import { MarathonFailure, read } from '../model/index.ts';
import { configOf, infoOf } from './config.ts';
import type { Call } from './http.ts';
import {
  acceptsJson,
  bodyOf,
  demand,
  emptyReply,
  jsonReply,
  messageReply,
  ramlReply,
} from './http.ts';
import { metricsOf, prometheusText } from './metrics.ts';

/** Everything that is about Marathon itself: ping, info, leader, metrics, logging, plugins. */

const encoder = new TextEncoder();
/** A master that is just starting must not keep `/v2/info` from being answered. */
const registrationMsMax = 3_000;

/** Answers in the first form that the client takes (SystemResource.scala). */
export function ping({ request }: Call): FaceReply {
  const accept = request.headers['accept'] ?? '*/*';
  const reply = (type: string, text: string): FaceReply => ({
    status: 200,
    headers: { 'Content-Type': type },
    body: encoder.encode(text),
  });
  for (const type of accept.split(',').map((one) => one.split(';')[0]?.trim().toLowerCase())) {
    if (type === '*/*' || type === 'text/*' || type === 'text/plain' || type === '')
      return reply('text/plain', 'pong');
    if (type === 'text/html') return reply('text/html', 'pong');
    if (type === 'application/json' || type === 'application/*')
      return reply('application/json', '"pong"');
  }
  return emptyReply(204);
}

/** Who asks who it is gets an answer: the framework is registered for it if it was not needed yet. */
export async function info(call: Call): Promise<FaceReply> {
  demand(call, { action: 'view', on: 'system', id: '' });
  const { framework, options } = call.engine;
  const waited = new AbortController();
  const patience = options.clock.sleep(registrationMsMax, waited.signal).catch(() => undefined);
  await Promise.race([framework.identified(), patience]);
  waited.abort();
  return jsonReply(JSON.stringify(infoOf(call.engine)));
}

export function leader({ engine }: Call): FaceReply {
  const { hostname, port } = engine.options.address;
  return jsonReply(JSON.stringify({ leader: `${hostname}:${port}` }));
}

/**
 * The original ends its process and another takes over. Here the one server goes on: its framework
 * hangs up and subscribes anew, as a new leader's would.
 */
export function abdicate(call: Call): FaceReply {
  demand(call, { action: 'update', on: 'system', id: '' });
  for (const name of ['backup', 'restore']) {
    const uri = call.query.get(name);
    if (uri === null) continue;
    if (!/^(file:\/\/\/|s3:\/\/)/.test(uri))
      throw new MarathonFailure(422, { message: `Invalid URI: ${uri}` });
    throw new MarathonFailure(422, {
      message: `Cannot ${name}: the store is backed up as a whole, with the cluster`,
    });
  }
  call.engine.framework.reconnect();
  return messageReply(200, 'Leadership abdicated');
}

/** JSON; to those who ask for text and not for JSON, as scrapers do, the form of Prometheus. */
export function metrics(call: Call): FaceReply {
  const accept = call.request.headers['accept'] ?? '';
  if (accept.includes('text/plain') && !accept.includes('application/json'))
    return prometheus(call);
  if (!acceptsJson(call.request)) return messageReply(406, 'Not Acceptable');
  demand(call, { action: 'view', on: 'system', id: '' });
  return jsonReply(JSON.stringify(metricsOf(call.engine)));
}

export function prometheus(call: Call): FaceReply {
  demand(call, { action: 'view', on: 'system', id: '' });
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain; version=0.0.4;charset=utf-8' },
    body: encoder.encode(prometheusText(call.engine)),
  };
}

export function config(call: Call): FaceReply {
  demand(call, { action: 'view', on: 'system', id: '' });
  return jsonReply(JSON.stringify(configOf(call.engine)));
}

export function logging(call: Call): FaceReply {
  demand(call, { action: 'view', on: 'system', id: '' });
  const levels = call.engine.levels.all();
  const inherited = (levels.get(rootLogger) ?? 'info').toUpperCase();
  const loggers: Record<string, string> = { [marathonLogger]: `${inherited} (inherited)` };
  for (const [logger, level] of levels) loggers[logger] = level.toUpperCase();
  return jsonReply(JSON.stringify(loggers));
}

export async function setLogging(call: Call): Promise<FaceReply> {
  demand(call, { action: 'update', on: 'system', id: '' });
  const change = read('LoggerChange', await bodyOf(call));
  const { logger, level, durationSeconds } = change;
  if (logger === '')
    throw new MarathonFailure(422, {
      message: 'Object is not valid',
      details: [{ path: '/logger', errors: ['must not be empty'] }],
    });
  const { levels, options } = call.engine;
  const before = levels.all().get(logger);
  levels.set(logger, level);
  if (durationSeconds !== undefined)
    options.clock.after(durationSeconds * 1000, () => {
      if (before === undefined) levels.unset(logger);
      else levels.set(logger, before);
    });
  return ramlReply('LoggerChange', change);
}

export function plugins(): FaceReply {
  return jsonReply('{"plugins":[]}');
}

export function plugin(_call: Call, [rest = '']: readonly string[]): FaceReply {
  const [id = ''] = rest.split('/');
  return messageReply(404, `No plugin with this pluginId: ${id}`);
}

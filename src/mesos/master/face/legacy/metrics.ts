import type { FaceReply } from '#base';
import { jsonReply, textReply } from '#mesos/protocol';
import type { HttpRequest, Route } from '#mesos/protocol';
import { double, jsonText } from './json.ts';
import type { LegacyOptions } from './routes.ts';

/** Requests within any second; more get 503 (process/metrics/metrics.cpp, 2 per second). */
const requestsPerSecond = 2;

/** `/metrics/snapshot`: flat, every value a double. */
export function metricsRoute({ clock, metrics }: LegacyOptions): Route {
  const recent: number[] = [];
  return {
    realm: 'mesos-master-readonly',
    handle: async (request) => {
      const problem = timeoutProblem(request);
      if (problem !== undefined) return problem;
      // More than the limit wait for their turn, as the reference's rate limiter lets them.
      const now = clock.monotonicMs();
      while (recent.length > 0 && (recent[0] ?? 0) <= now - 1000) recent.shift();
      const at = recent.length < requestsPerSecond ? now : (recent.at(-2) ?? now) + 1000;
      recent.push(at);
      if (at > now) await clock.sleep(at - now, request.signal);
      const found = Object.entries(await metrics());
      const values = found.map(([name, value]) => [name, double(value)]);
      return jsonReply(jsonText(Object.fromEntries(values)), request.query.get('jsonp'));
    },
  };
}

function timeoutProblem(request: HttpRequest): FaceReply | undefined {
  const timeout = request.query.get('timeout');
  if (timeout === undefined || /^\d+(\.\d+)?(ns|us|ms|secs|mins|hrs|days|weeks)$/.test(timeout))
    return undefined;
  return textReply(400, `Invalid timeout '${timeout}': Invalid duration '${timeout}'`);
}

import type { Context } from './context.ts';
import { isTrue } from './request-info.ts';

const bucketsSeconds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 5, 10, 60];
const seriesMax = 5000;

interface Series {
  readonly labels: string;
  readonly buckets: number[];
  sum: number;
  count: number;
  readonly byCode: Map<number, number>;
}
const methods: Readonly<Record<string, string>> = {
  create: 'POST',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  proxy: 'PROXY',
};

/** Counts requests under the reference's stable metric names. */
export class Metrics {
  readonly #series = new Map<string, Series>();
  inFlight = 0;
  rejected = 0;

  observe(context: Context, code: number, ms: number): void {
    const { info } = context;
    const scope = !info.isResource
      ? ''
      : info.name !== '' || info.verb === 'create'
        ? 'resource'
        : info.namespace === ''
          ? 'cluster'
          : 'namespace';
    const isApply =
      info.verb === 'patch' &&
      context.request.headers['content-type']?.startsWith('application/apply-patch') === true;
    const verb = isApply ? 'APPLY' : (methods[info.verb] ?? 'other');
    const dryRun = isTrue(info.query.get('dryRun')) ? 'All' : '';
    const key = `${verb}\n${info.group}\n${info.version}\n${info.resource}\n${info.subresource}\n${scope}\n${dryRun}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      // Names in URLs are the clients' choice: what is unknown must not grow without bound.
      if (this.#series.size >= seriesMax) return;
      const labels = `verb="${verb}",dry_run="${dryRun}",group="${label(info.group)}",version="${label(info.version)}",resource="${label(info.resource)}",subresource="${label(info.subresource)}",scope="${scope}",component="apiserver"`;
      const buckets = bucketsSeconds.map(() => 0);
      series = { labels, buckets, sum: 0, count: 0, byCode: new Map() };
      this.#series.set(key, series);
    }
    series.byCode.set(code, (series.byCode.get(code) ?? 0) + 1);
    if (verb === 'WATCH') return;
    const seconds = ms / 1000;
    series.sum += seconds;
    series.count++;
    const bucket = bucketsSeconds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
  }

  text(): string {
    const lines = [
      '# HELP apiserver_request_total Requests by verb, resource and response code.',
      '# TYPE apiserver_request_total counter',
    ];
    for (const { labels, byCode } of this.#series.values())
      for (const [code, count] of byCode)
        lines.push(`apiserver_request_total{${labels},code="${code}"} ${count}`);
    lines.push(
      '# HELP apiserver_request_duration_seconds Time from request to reply.',
      '# TYPE apiserver_request_duration_seconds histogram',
    );
    for (const series of this.#series.values()) {
      const name = 'apiserver_request_duration_seconds';
      let below = 0;
      for (const [at, bound] of bucketsSeconds.entries()) {
        below += series.buckets[at] ?? 0;
        lines.push(`${name}_bucket{${series.labels},le="${bound}"} ${below}`);
      }
      lines.push(`${name}_bucket{${series.labels},le="+Inf"} ${series.count}`);
      lines.push(`${name}_sum{${series.labels}} ${series.sum}`);
      lines.push(`${name}_count{${series.labels}} ${series.count}`);
    }
    lines.push(
      '# HELP apiserver_current_inflight_requests Requests at work, long-running ones apart.',
      '# TYPE apiserver_current_inflight_requests gauge',
      `apiserver_current_inflight_requests ${this.inFlight}`,
      '# HELP apiserver_flowcontrol_rejected_requests_total Requests refused for lack of room.',
      '# TYPE apiserver_flowcontrol_rejected_requests_total counter',
      `apiserver_flowcontrol_rejected_requests_total ${this.rejected}`,
    );
    return `${lines.join('\n')}\n`;
  }
}

function label(text: string): string {
  return text.slice(0, 100).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

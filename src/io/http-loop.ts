import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Watches how long the event loop was kept from its work; the text is for `/metrics`. */
export function watchEventLoop(): { readonly metrics: () => string; readonly stop: () => void } {
  const resolution = 20;
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  return {
    metrics: () => {
      const longest = Math.max(0, histogram.max / 1e9 - resolution / 1000);
      const p99 = Math.max(0, histogram.percentile(99) / 1e9 - resolution / 1000);
      histogram.reset();
      return [
        '# HELP tandem_event_loop_longest_stretch_seconds Longest time nothing else could run, since the last look.',
        '# TYPE tandem_event_loop_longest_stretch_seconds gauge',
        `tandem_event_loop_longest_stretch_seconds ${longest}`,
        '# HELP tandem_event_loop_stretch_p99_seconds 99th percentile of the same.',
        '# TYPE tandem_event_loop_stretch_p99_seconds gauge',
        `tandem_event_loop_stretch_p99_seconds ${p99}\n`,
      ].join('\n');
    },
    stop: () => {
      histogram.disable();
    },
  };
}

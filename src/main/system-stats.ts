import { cpus, freemem, loadavg, totalmem } from 'node:os';

/** `/system/stats.json` of both Mesos faces (libprocess system.hpp). */
export function systemStats(): Readonly<Record<string, number>> {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    avg_load_1min: one,
    avg_load_5min: five,
    avg_load_15min: fifteen,
    cpus_total: cpus().length,
    mem_total_bytes: totalmem(),
    mem_free_bytes: freemem(),
  };
}

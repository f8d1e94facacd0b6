import type { Cancel, Clock } from '#base';
import { emptyReply, textReply } from '#mesos/protocol';
import type { Routes } from '#mesos/protocol';

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  secs: 1000,
  mins: 60_000,
  hrs: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};
const timerMsMax = 2 ** 31 - 1;

/** `/logging/toggle`: the level for a while (libprocess, logging.cpp). */
export function loggingRoutes(clock: Clock): Routes {
  let level = 0;
  let cancel: Cancel = () => undefined;
  return {
    toggle: {
      realm: 'mesos-agent-readwrite',
      handle: async ({ query, caller }) => {
        const asked = query.get('level');
        const duration = query.get('duration');
        if (asked === undefined && duration === undefined) return textReply(200, `${level}\n`);
        if (asked === undefined) return textReply(400, "Expecting 'level=value' in query.\n");
        if (duration === undefined) return textReply(400, "Expecting 'duration=value' in query.\n");
        if (!caller.allows('set_log_level')) return textReply(403);
        const wanted = /^[+-]?\d+$/.test(asked) ? Number(asked) : undefined;
        if (wanted === undefined) return textReply(400, `Failed to parse level '${asked}'.\n`);
        if (wanted < 0) return textReply(400, `Invalid level '${asked}'.\n`);
        const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(duration) ?? [];
        const unitMs = unitsMs[unit];
        if (unitMs === undefined) return textReply(400, `Invalid duration '${duration}'.\n`);
        cancel();
        level = wanted;
        cancel = clock.after(Math.min(Number(amount) * unitMs, timerMsMax), () => {
          level = 0;
        });
        return emptyReply(200);
      },
    },
  };
}

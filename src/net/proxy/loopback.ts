import type { EventRecorder } from '#client';
import type { Service } from '#kube/kinds';
import type { LoopbackPorts } from './proxy.ts';

/** Takes a port of 127.0.0.1 so that nobody else does; undefined when somebody has it. */
export interface PortHolder {
  hold(protocol: string, port: number): Promise<Disposable | undefined>;
  /** Who has it, in words: `process 812 (nginx)`. */
  holderOf(protocol: string, port: number): Promise<string>;
}

/**
 * `localhost:<port>` for LoadBalancer Services. A port that somebody has is left to him, and the
 * Service gets an Event that names him, once.
 */
export function createLoopbackPorts(options: {
  readonly holder: PortHolder;
  readonly recorder: EventRecorder;
}): LoopbackPorts & Disposable {
  const held = new Map<string, Disposable>();
  const told = new Set<string>();
  return {
    async hold(wanted: ReadonlyMap<string, Service>): Promise<ReadonlySet<string>> {
      for (const [key, port] of held) {
        if (wanted.has(key)) continue;
        port[Symbol.dispose]();
        held.delete(key);
      }
      for (const [key, service] of wanted) {
        if (held.has(key)) continue;
        const [protocol = '', port = ''] = key.split('/');
        const taken = await options.holder.hold(protocol, Number(port));
        if (taken !== undefined) {
          held.set(key, taken);
          continue;
        }
        const once = `${service.metadata.uid} ${key}`;
        if (told.has(once)) continue;
        told.add(once);
        const holder = await options.holder.holderOf(protocol, Number(port));
        options.recorder.event(service, 'Warning', {
          reason: 'LocalhostPortTaken',
          message: `127.0.0.1:${port} is taken by ${holder}: the Service is reachable at its other addresses`,
        });
      }
      return new Set(held.keys());
    },
    [Symbol.dispose](): void {
      for (const port of held.values()) port[Symbol.dispose]();
      held.clear();
    },
  };
}

import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '#base';
import type { CreateInformer, InformerChange } from '#client';
import type { Api } from '#machinery';
import type { App as AppObject, AppPod } from '#mesos/kinds';
import { appPods, apps, objectName } from '#mesos/kinds';
import type { ModelSettings, Root } from '../model/index.ts';
import {
  MarathonFailure,
  appUpdateFromJson,
  parentID,
  podUpdateFromJson,
  putRunSpec,
  removeRunSpec,
  runSpecOf,
} from '../model/index.ts';
import type { MarathonState } from './state.ts';
import type { Updates } from './updates.ts';

export interface OutsideOptions {
  readonly api: Api;
  readonly createInformer: CreateInformer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly model: ModelSettings;
  readonly state: MarathonState;
  readonly updates: Updates;
}

type Change = InformerChange<AppObject | AppPod>;

/**
 * Follows the stored apps and pods: who edits, scales or deletes one of them past Marathon's API
 * (`kubectl edit apps.marathon.tandem.dev`) has asked for a deployment too. A definition that cannot
 * be is set back to what runs.
 */
export async function followOutside(options: OutsideOptions, signal: AbortSignal): Promise<void> {
  const { api, createInformer, clock, logger, state } = options;
  const { namespace } = state;
  const ofApps = createInformer(api, apps, { clock, logger, namespace });
  const ofPods = createInformer(api, appPods, { clock, logger, namespace });
  ofApps.onChange((change) => take(options, change));
  ofPods.onChange((change) => take(options, change));
  await Promise.all([ofApps.run(signal), ofPods.run(signal)]);
}

function take(options: OutsideOptions, change: Change): void {
  const id = (change.object ?? change.old)?.spec.id;
  if (id === undefined || !isForeign(options, id, change)) return;
  adopt(options, id, change).catch((error: unknown) => {
    options.logger.warn('Cannot follow a change of a stored app', { id, error });
  });
}

/** Not what this process wrote, and newer. */
function isForeign({ state }: OutsideOptions, id: string, { object, old }: Change): boolean {
  const known = runSpecOf(state.root, id);
  const written = state.writtenVersion(id);
  if (known === undefined || written === undefined) return false;
  const seen = (object ?? old)?.metadata.resourceVersion;
  if (seen === undefined || (object ?? old)?.metadata.name !== objectName(id)) return false;
  if (object === undefined) return BigInt(seen) >= BigInt(written);
  return BigInt(seen) > BigInt(written) && !isDeepStrictEqual(object.spec, known.spec);
}

async function adopt(options: OutsideOptions, id: string, change: Change): Promise<void> {
  const { updates, state, logger } = options;
  try {
    await updates.apply({
      groupID: parentID(id),
      force: true,
      // Between what was seen and now this process may have written the same.
      change: (root, version) =>
        isForeign(options, id, change) ? changed(options, change, { root, version, id }) : root,
    });
  } catch (error) {
    if (!(error instanceof MarathonFailure)) throw error;
    logger.warn('Set back a stored app that cannot be', { id, reason: error.body });
    await state.restore(id);
  }
}

function changed(
  { model: settings }: OutsideOptions,
  { object }: Change,
  { root, version, id }: { readonly root: Root; readonly version: string; readonly id: string },
): Root {
  if (object === undefined) return removeRunSpec(root, id, { version, settings });
  const context = { root, settings, forceRole: true };
  const existing = root.apps.get(id);
  if (existing !== undefined) {
    const spec = appUpdateFromJson(object.spec, {
      id,
      existing,
      partial: false,
      context,
      versionOf: () => undefined,
    });
    return putRunSpec(root, { kind: 'app', spec }, { version, settings });
  }
  const spec = podUpdateFromJson(object.spec, { id, existing: root.pods.get(id), context });
  return putRunSpec(root, { kind: 'pod', spec }, { version, settings });
}

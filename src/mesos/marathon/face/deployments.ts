import type { FaceReply } from '#base';
import type { raml } from '../model/index.ts';
import { MarathonFailure, affectedIDs, revertPlan, textOf } from '../model/index.ts';
import type { Call } from './http.ts';
import { demand, deploymentReply, emptyReply, flag, jsonReply, mayView } from './http.ts';

/** `/v2/deployments` (DeploymentsResource.scala). */

export function listDeployments(call: Call): FaceReply {
  const infos = call.engine.deployments
    .list()
    .filter(({ affectedApps, affectedPods }) =>
      [...affectedApps, ...affectedPods].some((id) => mayView(call, 'app', id)),
    );
  return jsonReply(`[${infos.map(infoText).join(',')}]`);
}

/** The same object means the same text: a plan may name thousands of apps. */
const texts = new WeakMap<raml.DeploymentStepInfo, string>();

function infoText(info: raml.DeploymentStepInfo): string {
  const known = texts.get(info);
  if (known !== undefined) return known;
  const text = textOf('DeploymentStepInfo', info);
  texts.set(info, text);
  return text;
}

/** Undone by another deployment; with force it just stops where it is. */
export async function deleteDeployment(
  call: Call,
  [id = '']: readonly string[],
): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const plan = engine.deployments.get(id);
  if (plan === undefined)
    throw new MarathonFailure(404, { message: `DeploymentPlan ${id} does not exist` });
  for (const one of affectedIDs(plan)) demand(call, { action: 'update', on: 'app', id: one });
  if (flag(call, 'force')) {
    await engine.updates.cancel(id);
    return emptyReply(202);
  }
  const result = await engine.updates.apply({
    groupID: '/',
    force: true,
    change: (root, version) => revertPlan(plan, root, { version, settings }),
  });
  return deploymentReply(result);
}

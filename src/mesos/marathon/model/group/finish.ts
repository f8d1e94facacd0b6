import { parentID } from '../ids.ts';
import { refuseInvalid } from '../problem.ts';
import { type Root, draftOf, touchGroups } from '../root.ts';
import { withAssignedPorts } from '../service-ports.ts';
import type { ModelSettings } from '../settings.ts';
import { type VersionOptions, withVersions } from '../versions.ts';
import { changeProblems, treeProblems } from './rules.ts';

export interface FinishOptions extends VersionOptions {
  readonly settings: ModelSettings;
}

/** What every update of the tree ends with: service ports given out, versions set, the tree checked. */
export function finishUpdate(from: Root, to: Root, options: FinishOptions): Root {
  const assigned = withAssignedPorts(from, to, options.settings);
  const finished = withRestarts(withVersions(from, assigned, options), options);
  refuseInvalid(treeProblems(finished));
  refuseInvalid(changeProblems(from, finished));
  return finished;
}

/** A restart is a change of the groups it happens in. */
function withRestarts(root: Root, options: FinishOptions): Root {
  const { restarted = [] } = options;
  if (restarted.length === 0) return root;
  const draft = draftOf(root);
  for (const id of restarted) touchGroups(draft, parentID(id), options);
  return draft;
}

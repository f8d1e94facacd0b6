import { refuseInvalid } from '../problem.ts';
import type { Root } from '../root.ts';
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
  const finished = withVersions(from, assigned, options);
  refuseInvalid(treeProblems(finished));
  refuseInvalid(changeProblems(from, finished));
  return finished;
}

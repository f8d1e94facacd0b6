import type { Problem } from '../problem.ts';
import { residentRoleProblems } from '../roles.ts';
import type { App } from '../types.ts';
import {
  type AppCheckOptions,
  isSingleInstance,
  mustBeZero,
  portCount,
} from './check-canonical.ts';
import { hasPersistentVolumes } from './volumes.ts';

/** Checks of an app in its final form. */
export function modelProblems(app: App, { roles }: AppCheckOptions): Problem[] {
  const problems: Problem[] = [];
  const resident = hasPersistentVolumes(app);
  if (resident && app.role !== undefined)
    problems.push(...residentRoleProblems(app.role, { rules: roles, kind: 'apps' }));
  if (app.check !== undefined) problems.push(...checkProblems(app));
  const strategy = app.upgradeStrategy;
  if (strategy !== undefined && isSingleInstance(app))
    problems.push(
      ...mustBeZero(strategy, 'minimumHealthCapacity'),
      ...mustBeZero(strategy, 'maximumOverCapacity'),
    );
  else if (strategy !== undefined && resident)
    problems.push(...mustBeZero(strategy, 'maximumOverCapacity'));
  if (resident && typeof app.unreachableStrategy === 'object')
    problems.push({ path: '/', text: 'unreachableStrategy must be disabled for resident tasks' });
  return [...problems, ...unreachableProblems(app.unreachableStrategy, '/unreachableStrategy')];
}

/** An instance is given up no sooner than it is replaced. */
export function unreachableProblems(strategy: App['unreachableStrategy'], path: string): Problem[] {
  if (typeof strategy !== 'object') return [];
  const { inactiveAfterSeconds: inactive, expungeAfterSeconds: expunge } = strategy;
  if (inactive <= expunge) return [];
  const text =
    `inactiveAfterSeconds (${inactive}) must be less or equal to expungeAfterSeconds, ` +
    `which is ${expunge}`;
  return [{ path: `${path}/inactiveAfterSeconds`, text }];
}

function checkProblems(app: App): Problem[] {
  const problems: Problem[] = [];
  if (app.container?.type === 'DOCKER')
    problems.push({ path: '/', text: "AppDefinition must not use 'checks' if using docker" });
  const where = app.check?.http ?? app.check?.tcp;
  if (where === undefined) return problems;
  const count = portCount(app);
  const valid =
    where.portIndex === undefined
      ? where.port !== undefined || count === 1
      : where.portIndex < count;
  if (!valid)
    problems.push({
      path: '/check',
      text: 'check port index must address an element of the ports array or container port mappings.',
    });
  return problems;
}

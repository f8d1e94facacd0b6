import type {
  DeploymentActionName,
  DeploymentStep,
  DeploymentStepInfo,
  TaskReadinessCheckResult,
} from '../types.ts';
import { type Plan, type PlanAction, affectedIDs } from './plan.ts';

const verbs = { start: 'Start', stop: 'Stop', scale: 'Scale', restart: 'Restart' } as const;

function kindOf(plan: Plan, id: string): 'app' | 'pod' {
  return plan.changes.find((change) => change.id === id)?.kind ?? 'app';
}

/** `RestartApplication`, `ScalePod`, ... */
export function actionName(plan: Plan, action: PlanAction): DeploymentActionName {
  const noun = kindOf(plan, action.id) === 'app' ? 'Application' : 'Pod';
  return `${verbs[action.kind]}${noun}`;
}

function actionJson(plan: Plan, action: PlanAction): DeploymentStep['actions'][number] {
  const kind = kindOf(plan, action.id);
  const name = { action: actionName(plan, action) };
  return kind === 'app' ? { ...name, app: action.id } : { ...name, pod: action.id };
}

/** The steps of a plan as answers and events have them. */
export function planSteps(plan: Plan): DeploymentStep[] {
  return plan.steps.map(({ actions }) => ({
    actions: actions.map((action) => actionJson(plan, action)),
  }));
}

export interface DeploymentProgress {
  /** From 1; 0 before the first step. */
  readonly currentStep: number;
  /** By app. */
  readonly readiness: ReadonlyMap<string, readonly TaskReadinessCheckResult[]>;
}

/** An element of `GET /v2/deployments`. */
export function deploymentInfo(plan: Plan, progress: DeploymentProgress): DeploymentStepInfo {
  const { currentStep, readiness } = progress;
  const affected = affectedIDs(plan);
  const step = plan.steps[currentStep - 1];
  return {
    id: plan.id,
    version: plan.version,
    affectedApps: affected.filter((id) => kindOf(plan, id) === 'app'),
    affectedPods: affected.filter((id) => kindOf(plan, id) === 'pod'),
    steps: planSteps(plan),
    currentActions: (step?.actions ?? []).map((action) => ({
      ...actionJson(plan, action),
      readinessCheckResults: readiness.get(action.id) ?? [],
    })),
    currentStep,
    totalSteps: plan.steps.length,
  };
}

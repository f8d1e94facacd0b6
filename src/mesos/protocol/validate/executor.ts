import { sameResources, sumResources } from '../resources/arithmetic.ts';
import { orderedJson } from '../resources/text.ts';
import type { ExecutorInfo } from '../types.ts';
import { validateCommand, validateContainer } from './container.ts';
import { validateID } from './names.ts';
import type { LaunchContext } from './task.ts';
import {
  validateOneRole,
  validateRevocableMix,
  validateUniquePersistence,
  validateUsable,
} from './usage.ts';

/** Executors (mesos.md 4.2, 13). */

export function validateExecutor(executor: ExecutorInfo): string | undefined {
  const { executor_id: id, shutdown_grace_period: grace, command, container } = executor;
  const checks: readonly (() => string | undefined)[] = [
    () => validateType(executor),
    () => validateID(id.value),
    () =>
      grace !== undefined && grace.nanoseconds < 0
        ? "ExecutorInfo's 'shutdown_grace_period' must be non-negative"
        : undefined,
    () => under("Executor's `CommandInfo` is invalid: ", command && validateCommand(command)),
    () =>
      under("Executor's `ContainerInfo` is invalid: ", container && validateContainer(container)),
  ];
  return firstProblem(checks);
}

function validateType({ type, command, container }: ExecutorInfo): string | undefined {
  if (type === 'CUSTOM')
    return command === undefined
      ? "'ExecutorInfo.command' must be set for 'CUSTOM' executor"
      : undefined;
  if (type !== 'DEFAULT') return undefined;
  if (command !== undefined) return "'ExecutorInfo.command' must not be set for 'DEFAULT' executor";
  if (container === undefined) return undefined;
  if (container.type !== 'MESOS')
    return "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor";
  if (container.mesos?.image !== undefined)
    return "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor";
  return undefined;
}

/** On this agent, for this framework. */
export function validateExecutorThere(
  executor: ExecutorInfo,
  context: LaunchContext,
): string | undefined {
  return firstProblem([
    () => validateExecutor(executor),
    () => validateFramework(executor, context.frameworkID),
    () => validateExecutorResources(executor),
    () => validateCompatible(executor, context.executor(executor.executor_id.value)),
  ]);
}

function validateFramework(executor: ExecutorInfo, frameworkID: string): string | undefined {
  const actual = executor.framework_id?.value;
  if (actual === undefined) return "'ExecutorInfo.framework_id' must be set";
  if (actual === frameworkID) return undefined;
  return `ExecutorInfo has an invalid FrameworkID (Actual: ${actual} vs Expected: ${frameworkID})`;
}

function validateExecutorResources({ resources = [] }: ExecutorInfo): string | undefined {
  const sum = sumResources(resources);
  return firstProblem([
    () => under('Executor uses invalid resources: ', validateUsable(resources)),
    () => under('Executor uses duplicate persistence ID: ', validateUniquePersistence(sum)),
    () => under('Invalid executor resources: ', validateOneRole(sum)),
    () =>
      under('Executor mixes revocable and non-revocable resources: ', validateRevocableMix(sum)),
  ]);
}

function validateCompatible(
  executor: ExecutorInfo,
  existing: ExecutorInfo | undefined,
): string | undefined {
  if (existing === undefined || sameExecutor(executor, existing)) return undefined;
  const line = '-'.repeat(60);
  return (
    'ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.\n' +
    `${line}\nExisting ExecutorInfo:\n${orderedJson(existing)}\n` +
    `${line}\nExecutorInfo:\n${orderedJson(executor)}\n${line}\n`
  );
}

/** Resources are compared as sums, all else by its fields. */
export function sameExecutor(left: ExecutorInfo, right: ExecutorInfo): boolean {
  const { resources: ours = [], ...leftRest } = left;
  const { resources: theirs = [], ...rightRest } = right;
  return (
    orderedJson(leftRest) === orderedJson(rightRest) &&
    sameResources(sumResources(ours), sumResources(theirs))
  );
}

export function under(prefix: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : prefix + problem;
}

export function firstProblem(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

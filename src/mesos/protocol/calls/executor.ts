import type { ExecutorCall } from '../types.ts';
import { validateCheckStatus } from '../validate/checks.ts';
import { missingMember, needsOwnMember, uuidProblem } from './presence.ts';

const needs = needsOwnMember('SUBSCRIBE', 'UPDATE', 'MESSAGE');

/** What is wrong with an executor's call (common/validation.cpp, validateExecutorCall). */
export function validateExecutorCall(call: ExecutorCall): string | undefined {
  const missing = missingMember(needs, call);
  if (missing !== undefined) return missing;
  if (call.type !== 'UPDATE' || call.update === undefined) return undefined;
  const { status } = call.update;
  const executor = call.executor_id.value;
  if (status.uuid === undefined) return "Expecting 'uuid' to be present";
  const uuid = uuidProblem(status.uuid);
  if (uuid !== undefined) return uuid;
  const named = status.executor_id?.value;
  if (named !== undefined && named !== executor)
    return `ExecutorID in Call: ${executor} does not match ExecutorID in TaskStatus: ${named}`;
  const whose = `from executor ${executor} of framework ${call.framework_id.value}`;
  if (status.source !== 'SOURCE_EXECUTOR')
    return `Received Call ${whose} with invalid source, expecting 'SOURCE_EXECUTOR'`;
  if (status.state === 'TASK_STAGING') return `Received TASK_STAGING ${whose} which is not allowed`;
  return status.check_status === undefined ? undefined : validateCheckStatus(status.check_status);
}

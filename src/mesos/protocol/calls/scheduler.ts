import type { SchedulerCall } from '../types.ts';
import { missingMember, needsOwnMember, uuidProblem } from './presence.ts';

const needs = needsOwnMember(
  'SUBSCRIBE',
  'ACCEPT',
  'DECLINE',
  'ACCEPT_INVERSE_OFFERS',
  'DECLINE_INVERSE_OFFERS',
  'KILL',
  'SHUTDOWN',
  'ACKNOWLEDGE',
  'ACKNOWLEDGE_OPERATION_STATUS',
  'RECONCILE',
  'RECONCILE_OPERATIONS',
  'MESSAGE',
  'REQUEST',
  'UPDATE_FRAMEWORK',
);

/** What is wrong with a scheduler's call, before anybody asks whose it is (validation.cpp). */
export function validateSchedulerCall(call: SchedulerCall, principal?: string): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present";
  if (call.type !== 'SUBSCRIBE' && call.framework_id === undefined)
    return "Expecting 'framework_id' to be present";
  return missingMember(needs, call) ?? contentProblem(call, principal);
}

function contentProblem(call: SchedulerCall, principal: string | undefined): string | undefined {
  const id = call.framework_id?.value ?? '';
  switch (call.type) {
    case 'SUBSCRIBE': {
      const info = call.subscribe?.framework_info;
      if ((info?.id?.value ?? '') !== id)
        return "'framework_id' differs from 'subscribe.framework_info.id'";
      const named = info?.principal;
      if (principal === undefined || named === undefined || named === principal) return undefined;
      return `Authenticated principal '${principal}' does not match principal '${named}' set in \`FrameworkInfo\``;
    }
    case 'ACKNOWLEDGE':
      return uuidProblem(call.acknowledge?.uuid ?? '');
    case 'ACKNOWLEDGE_OPERATION_STATUS':
      return (
        uuidProblem(call.acknowledge_operation_status?.uuid ?? '') ??
        (call.acknowledge_operation_status?.agent_id === undefined
          ? "Expecting 'agent_id' to be present"
          : undefined)
      );
    case 'UPDATE_FRAMEWORK':
      return (call.update_framework?.framework_info.id?.value ?? '') === id
        ? undefined
        : "'framework_id' differs from 'update_framework.framework_info.id'";
    default:
      return undefined;
  }
}

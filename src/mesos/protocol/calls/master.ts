import { validateResources } from '../resources/validate.ts';
import type { MasterCall } from '../types.ts';
import { missingMember, needsOwnMember } from './presence.ts';

const needs = needsOwnMember(
  'GET_METRICS',
  'SET_LOGGING_LEVEL',
  'LIST_FILES',
  'READ_FILE',
  'UPDATE_WEIGHTS',
  'RESERVE_RESOURCES',
  'UNRESERVE_RESOURCES',
  'CREATE_VOLUMES',
  'DESTROY_VOLUMES',
  'GROW_VOLUME',
  'SHRINK_VOLUME',
  'UPDATE_MAINTENANCE_SCHEDULE',
  'START_MAINTENANCE',
  'STOP_MAINTENANCE',
  'DRAIN_AGENT',
  'DEACTIVATE_AGENT',
  'REACTIVATE_AGENT',
  'UPDATE_QUOTA',
  'SET_QUOTA',
  'REMOVE_QUOTA',
  'TEARDOWN',
  'MARK_AGENT_GONE',
);

/** What is wrong with an operator's call to a master (validation.cpp, master::call::validate). */
export function validateMasterCall(call: MasterCall): string | undefined {
  const missing = missingMember(needs, call);
  if (missing !== undefined) return missing;
  switch (call.type) {
    case 'RESERVE_RESOURCES':
      return validateResources(call.reserve_resources?.resources ?? []);
    case 'UNRESERVE_RESOURCES':
      return validateResources(call.unreserve_resources?.resources ?? []);
    case 'GROW_VOLUME':
      return agentProblem(call.grow_volume);
    case 'SHRINK_VOLUME':
      return agentProblem(call.shrink_volume);
    default:
      return undefined;
  }
}

function agentProblem(volume: { readonly agent_id?: unknown } | undefined): string | undefined {
  return volume?.agent_id === undefined
    ? "Expecting 'agent_id' to be present; only agent default resources are supported right now"
    : undefined;
}

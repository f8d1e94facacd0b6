import {
  isPersistentVolume,
  isReserved,
  isRevocable,
  upgradeResources,
} from '../resources/reservations.ts';
import { validateResources } from '../resources/validate.ts';
import type { AgentCall, AgentCallLaunchContainer, ContainerID } from '../types.ts';
import { sharesCgroups, validateCommand, validateContainer } from '../validate/container.ts';
import { validateContainerID } from '../validate/names.ts';
import { missingMember, needsOwnMember } from './presence.ts';

const needs = needsOwnMember(
  'GET_METRICS',
  'SET_LOGGING_LEVEL',
  'LIST_FILES',
  'READ_FILE',
  'LAUNCH_NESTED_CONTAINER',
  'WAIT_NESTED_CONTAINER',
  'KILL_NESTED_CONTAINER',
  'REMOVE_NESTED_CONTAINER',
  'LAUNCH_NESTED_CONTAINER_SESSION',
  'ATTACH_CONTAINER_INPUT',
  'ATTACH_CONTAINER_OUTPUT',
  'LAUNCH_CONTAINER',
  'WAIT_CONTAINER',
  'KILL_CONTAINER',
  'REMOVE_CONTAINER',
  'ADD_RESOURCE_PROVIDER_CONFIG',
  'UPDATE_RESOURCE_PROVIDER_CONFIG',
  'REMOVE_RESOURCE_PROVIDER_CONFIG',
  'MARK_RESOURCE_PROVIDER_GONE',
);

/** What is wrong with an operator's call to an agent (slave/validation.cpp, agent::call::validate). */
export function validateAgentCall(call: AgentCall): string | undefined {
  return missingMember(needs, call) ?? contentProblem(call);
}

function contentProblem(call: AgentCall): string | undefined {
  switch (call.type) {
    case 'LAUNCH_NESTED_CONTAINER':
      return nestedLaunchProblem('launch_nested_container', call.launch_nested_container);
    case 'LAUNCH_NESTED_CONTAINER_SESSION':
      return sessionProblem(call);
    case 'WAIT_NESTED_CONTAINER':
      return nestedIDProblem('wait_nested_container', call.wait_nested_container);
    case 'KILL_NESTED_CONTAINER':
      return nestedIDProblem('kill_nested_container', call.kill_nested_container);
    case 'REMOVE_NESTED_CONTAINER':
      return nestedIDProblem('remove_nested_container', call.remove_nested_container);
    case 'ATTACH_CONTAINER_INPUT':
      return attachInputProblem(call);
    case 'ATTACH_CONTAINER_OUTPUT':
      return idProblem('attach_container_output', call.attach_container_output?.container_id);
    case 'LAUNCH_CONTAINER':
      return launchProblem(call.launch_container);
    case 'WAIT_CONTAINER':
      return idProblem('wait_container', call.wait_container?.container_id);
    case 'KILL_CONTAINER':
      return idProblem('kill_container', call.kill_container?.container_id);
    case 'REMOVE_CONTAINER':
      return idProblem('remove_container', call.remove_container?.container_id);
    case 'ADD_RESOURCE_PROVIDER_CONFIG':
      return providerProblem('add', call.add_resource_provider_config);
    case 'UPDATE_RESOURCE_PROVIDER_CONFIG':
      return providerProblem('update', call.update_resource_provider_config);
    default:
      return undefined;
  }
}

type Launch = Pick<AgentCallLaunchContainer, 'container_id' | 'command' | 'container'>;

function idProblem(member: string, id: ContainerID | undefined): string | undefined {
  const problem = validateContainerID(id ?? { value: '' });
  return problem === undefined ? undefined : `'${member}.container_id' is invalid: ${problem}`;
}

function nestedIDProblem(
  member: string,
  content: { readonly container_id: ContainerID } | undefined,
): string | undefined {
  const problem = idProblem(member, content?.container_id);
  if (problem !== undefined || content?.container_id.parent !== undefined) return problem;
  return `Expecting '${member}.container_id.parent' to be present`;
}

function innerProblem(member: string, launch: Launch | undefined): string | undefined {
  const command = launch?.command === undefined ? undefined : validateCommand(launch.command);
  if (command !== undefined) return `'${member}.command' is invalid: ${command}`;
  const container =
    launch?.container === undefined ? undefined : validateContainer(launch.container);
  return container === undefined ? undefined : `'${member}.container' is invalid: ${container}`;
}

function nestedLaunchProblem(member: string, launch: Launch | undefined): string | undefined {
  return (
    nestedIDProblem(member, launch) ??
    innerProblem(member, launch) ??
    (isTwiceNested(launch) && sharesCgroups(launch?.container) === false
      ? `'${member}' is invalid: containers nested at the second level or greater cannot set 'share_cgroups' to 'false'`
      : undefined)
  );
}

function sessionProblem({
  launch_nested_container_session: launch,
}: AgentCall): string | undefined {
  const member = 'launch_nested_container_session';
  return (
    nestedIDProblem(member, launch) ??
    innerProblem(member, launch) ??
    (sharesCgroups(launch?.container) === false
      ? `'${member}.container.linux_info' is invalid: 'share_cgroups' cannot be set to 'false' for nested container sessions`
      : undefined)
  );
}

function attachInputProblem({ attach_container_input: attach }: AgentCall): string | undefined {
  if (attach?.type === undefined) return "Expecting 'attach_container_input.type' to be present";
  if (attach.type === 'UNKNOWN') return "'attach_container_input.type' is unknown";
  if (attach.type === 'PROCESS_IO') return undefined;
  return idProblem('attach_container_input', attach.container_id);
}

function launchProblem(launch: AgentCallLaunchContainer | undefined): string | undefined {
  const member = 'launch_container';
  const problem =
    idProblem(member, launch?.container_id) ??
    launchResourcesProblem(launch) ??
    innerProblem(member, launch);
  if (problem !== undefined || launch === undefined) return problem;
  const shares = sharesCgroups(launch.container);
  if (launch.container_id.parent === undefined)
    return shares === true
      ? `'${member}' is invalid: containers without a parent cannot set 'share_cgroups' to 'true'`
      : undefined;
  if (!isTwiceNested(launch)) return undefined;
  const level = `'${member}' is invalid: containers nested at the second level or greater cannot`;
  if ((launch.resources ?? []).length > 0) return `${level} specify resources`;
  if (Object.keys(launch.limits ?? {}).length > 0) return `${level} specify resource limits`;
  return shares === false ? `${level} set 'share_cgroups' to 'false'` : undefined;
}

function launchResourcesProblem(launch: AgentCallLaunchContainer | undefined): string | undefined {
  const resources = launch?.resources ?? [];
  const problem = validateResources(resources);
  if (problem !== undefined) return `Invalid resources: ${problem}`;
  const gpus = resources.some(
    ({ name, scalar }) => name === 'gpus' && !Number.isInteger(scalar?.value),
  );
  if (gpus) return "Invalid GPU resources: The 'gpus' resource must be an unsigned integer";
  if (launch?.container_id.parent !== undefined) return undefined;
  for (const resource of upgradeResources(resources)) {
    if (isReserved(resource)) return "'launch_container.resources' must be unreserved";
    if (isPersistentVolume(resource))
      return "'launch_container.resources' may not use persistent volumes";
    if (isRevocable(resource)) return "'launch_container.resources' must be non-revocable";
  }
  return undefined;
}

function isTwiceNested(launch: Launch | undefined): boolean {
  return launch?.container_id.parent?.parent !== undefined;
}

function providerProblem(
  verb: 'add' | 'update',
  config: { readonly info: { readonly id?: unknown } } | undefined,
): string | undefined {
  return config?.info.id === undefined
    ? undefined
    : `Expecting '${verb}_resource_provider_config.info.id' to be unset`;
}

import { creation, updating } from '#machinery';
import { maintenanceSchedules, type MaintenanceSchedule as Stored } from '#mesos/kinds';
import {
  CallRejected,
  orderedJson,
  type AllocatorInverseOfferStatus,
  type MachineID,
  type MaintenanceClusterStatus,
  type MaintenanceSchedule,
  type MaintenanceWindow,
  type Unavailability,
} from '#mesos/protocol';
import type { OperatorHost } from './operator-host.ts';
import type { AgentRecord } from './records.ts';
import { isOlder } from './role-objects.ts';

export type MachineMode = 'UP' | 'DRAINING' | 'DOWN';
const scheduleName = 'cluster';
export const downCause = "Operator initiated 'Machine DOWN'";

/**
 * Machines that are to be maintained: a schedule of windows, and which machines are down. An agent
 * belongs to the machine whose host name and address both are its own.
 */
export class Maintenance {
  readonly #host: OperatorHost;
  #windows: readonly MaintenanceWindow[] = [];
  #down: readonly MachineID[] = [];
  /** By machine. */
  #unavailable = new Map<string, Unavailability>();
  #downKeys = new Set<string>();
  /** Version of the newest object that this master wrote. */
  #newest: string | undefined;
  /** Answers to inverse offers by agent and framework; gone with the process, as in the reference. */
  readonly #answers = new Map<string, Map<string, AllocatorInverseOfferStatus>>();

  constructor(host: OperatorHost) {
    this.#host = host;
  }

  /** Called when the object changed, and once at start. */
  changed(): void {
    const stored = this.#host.storedSchedule();
    if (stored !== undefined && isOlder(stored, this.#newest)) return;
    this.#take(stored?.spec.windows ?? [], stored?.status?.downMachines ?? []);
  }

  get schedule(): MaintenanceSchedule {
    return this.#windows.length === 0 ? {} : { windows: this.#windows };
  }

  /** Of the agent's machine, when it is scheduled. */
  unavailabilityOf(agent: Pick<AgentRecord, 'info' | 'ip'>): Unavailability | undefined {
    return this.#unavailable.get(machineKey(machineOf(agent)));
  }

  /** May an agent of this machine register? */
  isDown(machine: MachineID): boolean {
    return this.#downKeys.has(machineKey(machine));
  }

  modeOf(machine: MachineID): MachineMode {
    const key = machineKey(machine);
    if (this.#downKeys.has(key)) return 'DOWN';
    return this.#unavailable.has(key) ? 'DRAINING' : 'UP';
  }

  /** Under which machine it is scheduled. */
  scheduledMachine(agent: Pick<AgentRecord, 'info' | 'ip'>): MachineID | undefined {
    const key = machineKey(machineOf(agent));
    return this.#machines().find((machine) => machineKey(machine) === key);
  }

  /** A framework accepted or declined an inverse offer. */
  answered(agentID: string, status: AllocatorInverseOfferStatus): void {
    const answers = this.#answers.get(agentID) ?? new Map<string, AllocatorInverseOfferStatus>();
    this.#answers.set(agentID, answers.set(status.framework_id.value, status));
  }

  async update(schedule: MaintenanceSchedule): Promise<void> {
    const windows = schedule.windows ?? [];
    const problem = this.#scheduleProblem(windows);
    if (problem !== undefined) throw new CallRejected(400, problem);
    await this.#write(windows, this.#down);
  }

  #scheduleProblem(windows: readonly MaintenanceWindow[]): string | undefined {
    const seen = new Set<string>();
    for (const { machine_ids: machines = [], unavailability } of windows) {
      if (machines.length === 0) return 'List of machines in the maintenance window is empty';
      if ((unavailability.duration?.nanoseconds ?? 0) < 0)
        return "Unavailability 'duration' is negative";
      const problem = machinesProblem(machines, seen);
      if (problem !== undefined) return problem;
    }
    const kept = this.#down.find((machine) => !seen.has(machineKey(machine)));
    return kept === undefined
      ? undefined
      : `${named(kept)} is deactivated and cannot be removed from the schedule`;
  }

  /** The machines' agents are shut down and removed: their tasks are lost. */
  async start(machines: readonly MachineID[]): Promise<void> {
    this.#refuse(machines, 'DRAINING', 'down');
    await this.#write(this.#windows, [...this.#down, ...machines]);
  }

  /** Out of the schedule, and agents may register again. */
  async stop(machines: readonly MachineID[]): Promise<void> {
    this.#refuse(machines, 'DOWN', 'up');
    const keys = new Set(machines.map(machineKey));
    const stays = (machine: MachineID): boolean => !keys.has(machineKey(machine));
    const windows = this.#windows
      .map((window) => ({ ...window, machine_ids: (window.machine_ids ?? []).filter(stays) }))
      .filter((window) => window.machine_ids.length > 0);
    await this.#write(windows, this.#down.filter(stays));
    this.#host.admitAgents();
  }

  #refuse(machines: readonly MachineID[], mode: MachineMode, way: 'up' | 'down'): void {
    const problem =
      machines.length === 0
        ? 'List of machines is empty'
        : (machinesProblem(machines, new Set()) ?? this.#modeProblem(machines, mode, way));
    if (problem !== undefined) throw new CallRejected(400, problem);
  }

  #modeProblem(
    machines: readonly MachineID[],
    mode: MachineMode,
    way: 'up' | 'down',
  ): string | undefined {
    for (const machine of machines) {
      const is = this.modeOf(machine);
      if (is === 'UP') return `${named(machine)} is not part of a maintenance schedule`;
      if (is !== mode)
        return `${named(machine)} is not in ${mode} mode and cannot be brought ${way}`;
    }
    return undefined;
  }

  status(): MaintenanceClusterStatus {
    const draining = this.#machines().filter((machine) => this.modeOf(machine) === 'DRAINING');
    const answers = new Map<string, AllocatorInverseOfferStatus[]>();
    for (const [agentID, byFramework] of this.#answers) {
      const agent = this.#host.state.agents.get(agentID);
      if (agent === undefined) continue;
      const key = machineKey(machineOf(agent));
      answers.set(key, [...(answers.get(key) ?? []), ...byFramework.values()]);
    }
    return {
      draining_machines: draining.map((id) => {
        const statuses = answers.get(machineKey(id));
        return statuses === undefined ? { id } : { id, statuses };
      }),
      down_machines: this.#down,
    };
  }

  #machines(): readonly MachineID[] {
    return this.#windows.flatMap((window) => window.machine_ids ?? []);
  }

  async #write(windows: readonly MaintenanceWindow[], down: readonly MachineID[]): Promise<void> {
    const write =
      this.#host.storedSchedule() === undefined
        ? creation<Stored>({
            apiVersion: 'mesos.tandem.dev/v1',
            kind: 'MaintenanceSchedule',
            metadata: { name: scheduleName },
            spec: { windows },
            status: { downMachines: down },
          })
        : updating(maintenanceSchedules, { name: scheduleName }, (draft) => {
            Object.assign(draft, { spec: { windows }, status: { downMachines: down } });
          });
    const written = await this.#host.write([write]);
    this.#newest = written?.[0]?.metadata.resourceVersion ?? this.#newest;
    this.#take(windows, down);
  }

  /** Agents whose machine went down are removed; offers of those that are newly (un)scheduled are made anew. */
  #take(windows: readonly MaintenanceWindow[], down: readonly MachineID[]): void {
    if (orderedJson([windows, down]) === orderedJson([this.#windows, this.#down])) return;
    const before = this.#unavailable;
    this.#windows = windows;
    this.#down = down;
    this.#host.scheduleTaken(this.schedule);
    this.#downKeys = new Set(down.map(machineKey));
    this.#unavailable = new Map();
    for (const { machine_ids: machines = [], unavailability } of windows)
      for (const machine of machines) this.#unavailable.set(machineKey(machine), unavailability);
    for (const agent of this.#host.state.agents.values()) {
      const key = machineKey(machineOf(agent));
      if (this.#downKeys.has(key)) this.#host.removeAgent(agent.id, downCause);
      else if (
        orderedJson(before.get(key) ?? null) !== orderedJson(this.#unavailable.get(key) ?? null)
      ) {
        this.#answers.delete(agent.id);
        this.#host.unavailabilityChanged(agent.id);
      }
    }
  }
}

function machineOf({ info, ip }: Pick<AgentRecord, 'info' | 'ip'>): MachineID {
  return { hostname: info.hostname, ip };
}

/** Host names do not differ by case; an absent field differs from every text. */
function machineKey({ hostname, ip }: MachineID): string {
  return JSON.stringify([hostname?.toLowerCase() ?? null, ip ?? null]);
}

/** As DRAIN_AGENT names a machine. */
export function machineText({ hostname, ip }: MachineID): string {
  if (hostname === undefined) return `(${ip ?? ''})`;
  return ip === undefined ? hostname : `${hostname} (${ip})`;
}

function named(machine: MachineID): string {
  return `Machine '${orderedJson(machine)}'`;
}

function machinesProblem(machines: readonly MachineID[], seen: Set<string>): string | undefined {
  for (const machine of machines) {
    const { hostname = '', ip = '' } = machine;
    if (hostname === '' && ip === '') return "Both 'hostname' and 'ip' for a machine are empty";
    if (ip !== '' && !isIPv4(ip)) return `Failed to parse IPv4: ${ip}`;
    const key = machineKey(machine);
    if (seen.has(key)) return `${named(machine)} appears more than once in the schedule`;
    seen.add(key);
  }
  return undefined;
}

function isIPv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** What a line of the table of budgets is, and how its runs become one result. */
import { loadavg } from 'node:os';

/** A measured quantity of a line. Without a bound it is told for information. */
export interface Goal {
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}
export interface Reading {
  readonly value: number;
  /** What a reader must know to read the number right: an extrapolation, a shorter run. */
  readonly note?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}
export interface LineContext {
  /** Length of one measurement under load. */
  readonly seconds: number;
}
/** One line of DESIGN.md section 6. */
export interface Line {
  readonly name: string;
  readonly what: string;
  readonly budget: Readonly<Record<string, Goal>>;
  /** Runs of which the best counts: others may use the machine. All of them are written down. */
  readonly repeat: number;
  /** Readings by the names in `budget`. */
  run(context: LineContext): Promise<Readonly<Record<string, Reading>>>;
}

export interface Quantity extends Goal {
  readonly quantity: string;
  readonly value: number;
  /** Every run's value, in order. */
  readonly all: readonly number[];
  readonly note?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly met: boolean;
  /** At least at half of the budget: half the rate, or twice the time or memory. */
  readonly halfMet: boolean;
}
export interface LineResult {
  readonly name: string;
  readonly what: string;
  /** One-minute load average before each run: other work on the machine slows what is measured. */
  readonly load: readonly number[];
  readonly quantities: readonly Quantity[];
}

export async function measure(
  line: Line,
  context: LineContext & { readonly repeat?: number | undefined },
): Promise<LineResult> {
  const load: number[] = [];
  const runs: Readonly<Record<string, Reading>>[] = [];
  for (let turn = 0; turn < (context.repeat ?? line.repeat); turn++) {
    load.push(Math.round((loadavg()[0] ?? 0) * 100) / 100);
    runs.push(await line.run(context));
  }
  const quantities = Object.entries(line.budget).flatMap(([quantity, goal]) =>
    best(
      quantity,
      goal,
      runs.map((run) => run[quantity]).filter((reading) => reading !== undefined),
    ),
  );
  if (quantities.length === 0) throw new Error(`"${line.name}" measured nothing`);
  return { name: line.name, what: line.what, load, quantities };
}

/** Nothing for what cannot be measured here: an agent's memory without root, for one. */
function best(quantity: string, goal: Goal, readings: readonly Reading[]): readonly Quantity[] {
  const more = goal.atLeast !== undefined;
  const [first] = readings.toSorted((a, b) => (more ? b.value - a.value : a.value - b.value));
  if (first === undefined) return [];
  const { value, note, details } = first;
  const { atLeast = -Infinity, atMost = Infinity } = goal;
  return [
    {
      quantity,
      ...goal,
      value,
      all: readings.map((reading) => reading.value),
      note,
      details,
      met: value >= atLeast && value <= atMost,
      halfMet: value >= atLeast / 2 && value <= atMost * 2,
    },
  ];
}

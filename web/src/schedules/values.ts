import type { Fault, Order, Schemas } from "../api/client";
import { alike, type Values } from "../forms/draft";
import { cadence as said, count } from "../words";

export type Shown = Schemas["ScheduleItem"];
type Policies = Schemas["PolicyFields"];
type JobFields = Schemas["JobFields"];

/** A cadence as it is filled in: what the other kind needs is kept, so that one can go back. */
export interface CadenceValues {
  kind: "interval" | "cron";
  start_date?: string;
  start_time?: string;
  time_zone?: string;
  every?: number;
  unit?: string;
  cron?: string;
}

/** A row of the job table as it is filled in; `key` is the page's own. */
export interface RowValues {
  key: string;
  kind: "service" | "flow";
  id?: string;
  seq?: number;
  skip_wait: boolean;
  /** JSON as it was typed. */
  input?: string;
  attempts?: number;
  timeout?: string;
  wait_timeout?: string;
  delivery?: string;
}

export interface ScheduleValues {
  id?: string;
  description?: string;
  active: boolean;
  cadence: CadenceValues;
  jobs: RowValues[];
  policies: Partial<Policies>;
  /** Of a new one only: those of one that is there have a form of their own. */
  alerts?: Values;
}

/** The values of a form, by the types that they have. */
export function typed(values: Values): ScheduleValues {
  return values as unknown as ScheduleValues;
}

/** A new schedule: every day from the next full hour of its zone on. */
export function begin(zone: string): ScheduleValues {
  const [start_date, start_time] = nextHour(zone);
  return {
    active: true,
    cadence: { kind: "interval", start_date, start_time, time_zone: zone, every: 1, unit: "day" },
    jobs: [],
    policies: {
      timing: "elapsed",
      catch_up: "due",
      overlap: "skip",
      on_failure: "continue",
      gap: "shift",
      repeat: "first",
    },
    alerts: { on_recovery: true },
  };
}

function nextHour(zone: string): [date: string, time: string] {
  const at = new Date(Date.now() + 3_600_000);
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  const [date = "", time = ""] = parts.format(at).split(" ");
  return [date, `${time.slice(0, 2)}:00`];
}

/** What a schedule that is there is edited from. */
export function valuesOf(shown: Shown): ScheduleValues {
  const policies = Object.fromEntries(Object.entries(shown.policies).filter(([, value]) => value !== null));
  if (policies["spread"] === "PT0S") delete policies["spread"];
  return {
    description: shown.description || undefined,
    active: shown.active,
    cadence: cadenceValues(shown.cadence),
    jobs: [...shown.jobs].sort((one, other) => one.seq - other.seq).map(rowValues),
    policies,
  };
}

export function cadenceValues(cadence: Shown["cadence"]): CadenceValues {
  if ("cron" in cadence && typeof cadence.cron === "string") {
    return { kind: "cron", cron: cadence.cron, time_zone: cadence.time_zone };
  }
  const { start_date, start_time, time_zone, every, unit } = cadence as Schemas["CadenceShown"];
  return { kind: "interval", start_date, start_time, time_zone, every, unit };
}

function rowValues(shown: Shown["jobs"][number]): RowValues {
  const { attempts, timeout, wait_timeout, delivery, input } = shown as unknown as Record<string, never>;
  return stripped({
    key: `row-${shown.row}`,
    kind: shown.job.kind as RowValues["kind"],
    id: shown.job.id,
    seq: shown.seq,
    skip_wait: shown.skip_wait,
    attempts,
    timeout,
    wait_timeout,
    delivery,
    input: alike(input ?? {}, {}) ? undefined : JSON.stringify(input, null, 2),
  });
}

/** Leaves out what is not there, as a form does. */
function stripped<T extends object>(of: T): T {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== null && value !== undefined)) as T;
}

export function cadenceFields(values: CadenceValues): Partial<Schemas["CadenceFields"]> {
  const { kind, start_date, start_time, time_zone = "", every, unit, cron } = values;
  if (kind === "cron") return { cron: cron ?? "", time_zone };
  return {
    start_date: start_date ?? null,
    start_time: start_time ?? null,
    time_zone,
    unit: unit as "day",
    ...(unit === "once" ? {} : { every: every ?? null }),
  };
}

function jobFields({ kind, id, input, ...row }: RowValues): JobFields {
  const { key: _, ...rest } = row;
  return { ...rest, job: { kind, id: id ?? "" }, input: input ? JSON.parse(input) : {} } as JobFields;
}

/** Says what is not filled in yet, or is not what it should be before the service is asked. */
export function lacks(values: ScheduleValues): Fault[] {
  return [...cadenceLacks(values.cadence), ...jobLacks(values.jobs)];
}

export function cadenceLacks(cadence: CadenceValues): Fault[] {
  const needed: [keyof CadenceValues, string][] =
    cadence.kind === "cron"
      ? [
          ["cron", "Five fields are needed: minute, hour, day of month, month, day of week."],
          ["time_zone", "A time zone is needed."],
        ]
      : [
          ["start_date", "A start date is needed."],
          ["start_time", "A start time is needed."],
          ["time_zone", "A time zone is needed."],
          ["every", "A number is needed."],
        ];
  return needed
    .filter(([name]) => cadence[name] === undefined && !(name === "every" && cadence.unit === "once"))
    .map(([name, detail]) => ({ path: `cadence.${name}`, detail }));
}

function jobLacks(jobs: readonly RowValues[]): Fault[] {
  if (jobs.length === 0) return [{ path: "jobs", detail: "Add at least one service or flow." }];
  return jobs.flatMap((row, place) => [
    ...(row.id === undefined ? [{ path: `jobs.${place}.job.id`, detail: `Choose a ${row.kind}.` }] : []),
    ...(row.seq === undefined ? [{ path: `jobs.${place}.seq`, detail: "A number is needed." }] : []),
    ...(isJson(row.input) ? [] : [{ path: `jobs.${place}.input`, detail: "This is no JSON." }]),
  ]);
}

function isJson(text: string | undefined): boolean {
  try {
    if (text) JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The command that makes a schedule of what was filled in. */
export function creation(values: ScheduleValues): Order {
  const { cadence, jobs, ...others } = values;
  const data = { description: "", ...others, cadence: cadenceFields(cadence), jobs: jobs.map(jobFields) };
  return { command: "CreateSchedule", data };
}

/** The commands that make what was opened into what was filled in, one for each part that differs. */
export function changes(id: string, from: ScheduleValues, to: ScheduleValues, ifMatch: number | undefined): Order[] {
  const described: Order = {
    command: "DescribeSchedule",
    data: { id, description: to.description ?? "" },
    ifMatch,
  };
  const moved: Order = { command: "EditCadence", data: { id, cadence: cadenceFields(to.cadence) }, ifMatch };
  const rejobbed: Order = { command: "EditScheduleJobs", data: { id, jobs: to.jobs.map(jobFields) }, ifMatch };
  const ruled: Order = { command: "EditSchedulePolicies", data: { id, policies: to.policies }, ifMatch };
  const isFirst = goesWith(to.policies.timing ?? "elapsed", unitOf(from.cadence));
  const isMoved = !alike(cadenceFields(from.cadence), cadenceFields(to.cadence));
  const isRuled = !alike(from.policies, to.policies);
  return [
    ...((from.description ?? "") === (to.description ?? "") ? [] : [described]),
    ...(isRuled && isFirst ? [ruled] : []),
    ...(isMoved ? [moved] : []),
    ...(isRuled && !isFirst ? [ruled] : []),
    ...(alike(from.jobs.map(jobFields), to.jobs.map(jobFields)) ? [] : [rejobbed]),
  ];
}

export function unitOf(cadence: CadenceValues): string {
  return cadence.kind === "cron" ? "cron" : (cadence.unit ?? "day");
}

const TIMINGS: Record<string, readonly string[]> = {
  once: ["elapsed"],
  cron: ["wall_clock"],
  minute: ["elapsed", "grid"],
  hour: ["elapsed", "grid"],
};

/** The ways in which a cadence of that unit can keep time, the usual one first. */
export function timingsOf(unit: string): readonly string[] {
  return TIMINGS[unit] ?? ["elapsed", "grid", "wall_clock"];
}

function goesWith(timing: string, unit: string): boolean {
  return timingsOf(unit).includes(timing);
}

/** Says in which parts a schedule differs from what was opened. */
export function differences(from: ScheduleValues, to: ScheduleValues): string[] {
  const cadence = cadenceFields(to.cadence);
  const often = said(cadence as Shown["cadence"]);
  return [
    from.description !== to.description && `It is now described as “${to.description ?? ""}”.`,
    !alike(cadenceFields(from.cadence), cadence) && `It now runs: ${often}, ${cadence.time_zone}.`,
    from.jobs !== undefined &&
      !alike(from.jobs.map(jobFields), to.jobs.map(jobFields)) &&
      `Its job table now has ${count(to.jobs.length, "row")}.`,
    !alike(from.policies, to.policies) && "Its policies are others.",
  ].filter((one) => one !== false);
}

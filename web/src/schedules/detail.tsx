import { Lanes } from "../parts/lanes";
import { cadence, capital, long, plain } from "../words";
import type { Shown } from "./values";

const OVERLAPS: Record<string, string> = {
  skip: "skip what falls due",
  queue_one: "let one wait",
  queue_all: "let all wait",
  cancel_running: "stop the open run",
  allow: "run beside it",
};
const TIMINGS: Record<string, string> = {
  elapsed: "by the time since the last run",
  grid: "by a grid from its start",
  wall_clock: "by the clock of its zone",
};

/** What belongs to a schedule besides its row: its jobs as they run, and how it behaves. */
export function Detail({ row }: { row: Shown }) {
  const { policies, managed, pause } = row;
  const facts: [string, preact.ComponentChildren][] = [
    ["Keeps time", TIMINGS[policies.timing] ?? plain(policies.timing)],
    ["While a run is open", OVERLAPS[policies.overlap] ?? plain(policies.overlap)],
    ["When a job fails", policies.on_failure === "stop" ? "stop the run" : "go on"],
    ["Catches up", policies.catch_up === "never" ? "never" : "once, when it could not run"],
    ["Not in the blackouts of", policies.calendars.join(", ")],
    ["Waiting", row.waiting > 0 && `${row.waiting} due`],
    [
      "Paused",
      pause && [pause.note, pause.until && `until ${long(pause.until)}`, `by ${pause.by}`].filter(Boolean).join(", "),
    ],
    [row.active ? "Active" : "Inactive", `${capital(plain(row.activity.set_by))}, ${long(row.activity.at)}`],
    ["Definition", managed?.cadence && `${cadence(managed.cadence)}, ${managed.cadence.time_zone}`],
  ];
  return (
    <div class="opened-schedule">
      <Lanes rows={row.jobs} at={row.open_run?.stage} />
      <dl>
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </div>
  );
}

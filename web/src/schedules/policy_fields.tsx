import { type Got, read } from "../api/client";
import { useForm } from "../forms/draft";
import { ChoiceField, DurationField, type Option, SelectField, SetField } from "../forms/fields";
import { timingsOf, typed, unitOf } from "./values";

export type Calendars = Got<"/v1/{workspace}/calendars">["items"];

export async function readCalendars(workspace: string): Promise<Calendars> {
  return (await read("/v1/{workspace}/calendars", { workspace }, { limit: 1000 })).items;
}

const TIMINGS: Record<string, string> = {
  elapsed: "Time since the last run",
  grid: "A grid from the start on",
  wall_clock: "The clock of its zone",
};
const KEEPS: Record<string, string> = {
  elapsed: "A late run moves those after it; with daylight saving the local time moves.",
  grid: "Always start + n intervals; with daylight saving the local time moves.",
  wall_clock: "Always the same local time, also through daylight saving.",
};
const OVERLAPS: readonly Option[] = [
  ["skip", "Skip what falls due"],
  ["queue_one", "Let one wait"],
  ["queue_all", "Let all wait, up to 100"],
  ["cancel_running", "Stop the open run"],
  ["allow", "Run beside it"],
];
const CATCH_UPS: readonly Option[] = [
  ["due", "Run once if something fell due"],
  ["always_on_tighten", "Also whenever the cadence gets tighter"],
  ["never", "Never"],
];

/** How a schedule keeps time. */
export function TimingFields() {
  const { values } = useForm();
  const { cadence, policies } = typed(values);
  const possible = timingsOf(unitOf(cadence));
  return (
    <>
      <ChoiceField
        path="policies.timing"
        label="What counts"
        options={possible.map((timing) => [timing, TIMINGS[timing]!])}
        hint={KEEPS[policies.timing ?? "elapsed"]}
      />
      {policies.timing === "wall_clock" && (
        <>
          <SelectField
            path="policies.gap"
            label="A time that the clocks leave out"
            options={[
              ["shift", "Run later by that hour"],
              ["skip", "Do not run that day"],
            ]}
          />
          <SelectField
            path="policies.repeat"
            label="A time that comes twice"
            options={[
              ["first", "Run the first time"],
              ["second", "Run the second time"],
              ["both", "Run both times"],
            ]}
          />
        </>
      )}
    </>
  );
}

/** What a schedule does when things do not go as planned. */
export function PolicyFields({ calendars }: { calendars: Calendars }) {
  const { values } = useForm();
  const { catch_up } = typed(values).policies;
  return (
    <>
      <SelectField path="policies.overlap" label="While a run is still open" options={OVERLAPS} />
      <SelectField
        path="policies.on_failure"
        label="When a job fails"
        options={[
          ["continue", "Go on with the next stage"],
          ["stop", "Stop the run there"],
        ]}
      />
      <SelectField path="policies.catch_up" label="After it could not run" options={CATCH_UPS} />
      {catch_up !== "never" && (
        <DurationField
          path="policies.catch_up_window"
          label="Only if due not longer ago than"
          units="MHD"
          usual="H"
          hint="Empty: however long ago."
        />
      )}
      <DurationField
        path="policies.spread"
        label="Spread starts over"
        units="SM"
        hint="Schedules that catch up together begin one after the other within it; at most 15 minutes."
      />
      {calendars.length > 0 ? (
        <SetField
          path="policies.calendars"
          label="Not in the blackouts of"
          options={calendars.map(({ id, name }) => [id, name || id])}
        />
      ) : (
        <p class="across faint">
          There are no blackout calendars: the Blackouts tab makes one, in which schedules start nothing.
        </p>
      )}
    </>
  );
}

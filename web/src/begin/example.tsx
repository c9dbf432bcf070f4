import type { Order } from "../api/client";
import { CheckField, OWN_ZONE } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { Lanes } from "../parts/lanes";

const STEPS = [
  { id: "example-contacts", name: "Fetch contacts", seconds: 6, seq: 1 },
  { id: "example-orders", name: "Fetch orders", seconds: 9, seq: 1 },
  { id: "example-report", name: "Make the report", seconds: 5, seq: 2 },
  { id: "example-archive", name: "Archive the old ones", seconds: 12, seq: 1, skip_wait: true },
];
const SCHEDULE = "example-nightly";
const ROWS = STEPS.map(({ id, name, seq, skip_wait = false }) => ({
  job: { kind: "service", id },
  name,
  seq,
  skip_wait,
}));

/** Opens the example: services that only wait, and a schedule that runs them in two stages. */
export function openExample(workspace: string): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title="Make the example"
      begin={{ run: true }}
      orders={({ run }) => [...EXAMPLE, ...(run ? [RUN] : [])]}
      label="Make the example"
      done="The example is made"
    >
      {({ values }) => (
        <>
          <Part
            title="Four services and a schedule"
            hint={
              "Each service only waits a few seconds, so nothing is called and nothing is written. The schedule runs " +
              "two of them side by side, then the third; the fourth starts with them and is not waited for. It stands " +
              "still until you activate it, and delete what you do not want whenever you like."
            }
          >
            <div class="across">
              <Lanes rows={ROWS} />
            </div>
            <CheckField path="run" label="Run it once now" hint="By hand, as often as you like later." />
          </Part>
          <details class="part">
            <summary>The commands</summary>
            <pre class="commands" tabIndex={0}>
              {[...EXAMPLE, ...(values["run"] ? [RUN] : [])]
                .map(({ command, data }) => `${command} ${JSON.stringify(data)}`)
                .join("\n\n")}
            </pre>
          </details>
        </>
      )}
    </CommandForm>
  ));
}

const EXAMPLE: readonly Order[] = [
  ...STEPS.map(({ id, name, seconds }) => ({
    command: "AddService",
    data: { id, name, handler: "sleep", config: { seconds } },
  })),
  {
    command: "CreateSchedule",
    data: {
      id: SCHEDULE,
      description: "Example: contacts and orders side by side, then the report",
      active: false,
      cadence: { cron: "0 2 * * *", time_zone: OWN_ZONE },
      jobs: STEPS.map(({ id, seq, skip_wait }) => ({
        job: { kind: "service", id },
        seq,
        ...(skip_wait && { skip_wait }),
      })),
    },
  },
];
const RUN: Order = { command: "RunNow", data: { owner: { kind: "schedule", id: SCHEDULE } } };

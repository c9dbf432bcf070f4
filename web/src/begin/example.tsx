import type { Order } from "../api/client";
import type { Values } from "../forms/draft";
import { CheckField, OWN_ZONE } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { Lanes } from "../parts/lanes";
import { hasRole } from "../session";

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

/** What a group runs, in this order. */
const GROUPS = [
  {
    id: "example-newsletter",
    name: "Example newsletter",
    schedule: { type: "daily", at: "03:15", time_zone: OWN_ZONE },
    jobs: [
      { id: "example-readers", name: "Example readers", seconds: 5 },
      { id: "example-interests", name: "Example interests", seconds: 4 },
    ],
  },
  {
    id: "example-fair",
    name: "Example fair",
    schedule: { type: "on_demand" },
    jobs: [
      { id: "example-leads", name: "Example leads", seconds: 8 },
      { id: "example-lead-interests", name: "Example lead interests", seconds: 5 },
    ],
  },
];
const ON_DEMAND = "example-fair";

/** Opens the example: services that only wait, a schedule that runs them in two stages, and two groups of imports. */
export function openExample(workspace: string): void {
  const mayGroup = hasRole("data_director");
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title="Make the example"
      begin={{ groups: mayGroup, run: true }}
      orders={ordersOf}
      label="Make the example"
      done="The example is made"
    >
      {({ values }) => (
        <>
          <Part
            title="Four services, a schedule and two groups"
            hint={
              "Each job only waits a few seconds, so nothing is called and nothing is written. The schedule runs " +
              "two services side by side, then the third; the fourth starts with them and is not waited for. It " +
              "stands still until you activate it, and so does the group that would run each night. Delete what you " +
              "do not want whenever you like."
            }
          >
            <div class="across">
              <Lanes rows={ROWS} />
            </div>
            {mayGroup ? (
              <CheckField
                path="groups"
                label="With the two groups"
                hint="Each runs two imports, one after the other; they stand in Manage Connect."
              />
            ) : (
              <p class="across faint">The groups are left out: they need the role data_director.</p>
            )}
            <CheckField path="run" label="Run it once now" hint="By hand, as often as you like later." />
          </Part>
          <p class="faint">
            The same with real files comes from <code>eventjobs demo</code>, in a terminal where eventjobs is installed:
            its jobs load CSV files into tables, one of its groups meets rows that are wrong, and mails tell how it
            went.
          </p>
          <details class="part">
            <summary>The commands</summary>
            <pre class="commands" tabIndex={0}>
              {ordersOf(values)
                .map(({ command, data }) => `${command} ${JSON.stringify(data)}`)
                .join("\n\n")}
            </pre>
          </details>
        </>
      )}
    </CommandForm>
  ));
}

function ordersOf({ groups, run }: Values): readonly Order[] {
  return [
    ...EXAMPLE,
    ...(groups ? GROUPED : []),
    ...(run ? [runNow("schedule", SCHEDULE)] : []),
    ...(run && groups ? [runNow("group", ON_DEMAND)] : []),
  ];
}

function runNow(kind: string, id: string): Order {
  return { command: "RunNow", data: { owner: { kind, id } } };
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
const GROUPED: readonly Order[] = [
  ...GROUPS.flatMap(({ jobs, ...group }) => [
    ...jobs.flatMap(({ id, name, seconds }) => [
      {
        command: "SaveJob",
        data: { id, kind: "import", name, handler: "sleep", config: { seconds }, expires_on: "never" },
      },
      { command: "ActivateJob", data: { id } },
    ]),
    { command: "CreateGroup", data: { ...group, jobs: jobs.map(({ id }) => id) } },
  ]),
  { command: "ActivateGroup", data: { id: ON_DEMAND } },
];

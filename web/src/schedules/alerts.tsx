import { type Fault, read, type Schemas } from "../api/client";
import { AddressesField } from "../forms/addresses_field";
import { differences } from "../forms/differences";
import type { Values } from "../forms/draft";
import { CheckField, DurationField, NumberField, TextField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { opening } from "../forms/opening";
import { webhookLacks, webhooksBegun, WebhooksField } from "../forms/webhooks_field";
import { Ago } from "../parts/basics";
import { Icon } from "../parts/icons";
import { to } from "../router";
import { capital, count } from "../words";

type Schedule = Schemas["Schedule"];
type Incident = Schedule["incidents"][number];

const PATH = "/v1/{workspace}/schedules/{id}";
const PARTS: Readonly<Record<string, string>> = {
  late_after: "when it counts as late",
  runs_longer_than: "when it runs too long",
  no_progress_in: "when it counts as stuck",
  no_success_in: "how long it may have no success",
  failures_in_a_row: "how often it may fail",
  on_recovery: "whether it is told that it is well again",
  email: "who is mailed",
  webhook: "the webhooks",
  heartbeat: "the heartbeat",
};

/** Opens the form of what is watched for with a schedule, and of who is told. */
export function editAlerts(workspace: string, id: string): Promise<void> {
  return opening(async () => {
    const shown = await read(PATH, { workspace, id });
    openForm(() => <EditAlerts workspace={workspace} shown={shown} />);
  });
}

function EditAlerts({ workspace, shown }: { workspace: string; shown: Schedule }) {
  const { id } = shown;
  const reread = async () => {
    const newest = await read(PATH, { workspace, id });
    const values = { alerts: alertsBegun(newest.alerts) };
    const told = (from: Values) => differences(from["alerts"] as Values, values.alerts, PARTS);
    return { version: newest.version, values, told };
  };
  return (
    <CommandForm
      workspace={workspace}
      title={`Alerts of ${shown.description || id}`}
      command="EditScheduleAlerts"
      fields={(values) => ({ ...values, id })}
      begin={{ alerts: alertsBegun(shown.alerts) }}
      version={shown.version}
      reread={reread}
      lacks={alertLacks}
      label="Save"
      done="The alerts are saved"
    >
      {() => (
        <>
          <Incidents workspace={workspace} of={shown.incidents.filter((one) => one.state === "open")} />
          <AlertFields />
        </>
      )}
    </CommandForm>
  );
}

/** What is watched for with a schedule, who is told, and what is called after each success. */
export function AlertFields() {
  return (
    <>
      <Part title="What is watched for" hint="What is left empty is not watched for.">
        <DurationField path="alerts.late_after" label="It starts later than" hint="After the moment that was due." />
        <DurationField path="alerts.runs_longer_than" label="A run takes longer than" />
        <DurationField
          path="alerts.no_progress_in"
          label="No progress for"
          hint="Waiting counts, for a busy job too."
        />
        <DurationField
          path="alerts.no_success_in"
          label="No run succeeded for"
          usual="D"
          hint="Longer than from one run to the next."
        />
        <NumberField
          path="alerts.failures_in_a_row"
          label="Runs failed in a row"
          min={1}
          max={1000}
          hint="Since the last success."
        />
        <CheckField path="alerts.on_recovery" label="Tell also when it is well again" wide />
      </Part>
      <Part title="Who is told">
        <AddressesField path="alerts.email" label="E-mail" hint="Addresses, one a line." wide />
        <WebhooksField
          path="alerts.webhook"
          label="Webhooks"
          one="webhook"
          hint="Programs that are told by a signed POST."
        />
      </Part>
      <Part title="Heartbeat">
        <TextField
          path="alerts.heartbeat"
          label="Call after each success"
          code
          wide
          maxLength={2048}
          placeholder="https://monitor.example.org/ping/1234"
          hint="For a monitor that raises the alarm when it hears nothing; secret://name where the address is secret."
        />
      </Part>
    </>
  );
}

export function alertLacks(values: Values): readonly Fault[] {
  return webhookLacks("alerts.webhook", (values["alerts"] as Values | undefined)?.["webhook"]);
}

function alertsBegun(shown: Schedule["alerts"]): Values {
  const alerts: Values = { ...shown, webhook: webhooksBegun(shown.webhook) };
  return Object.fromEntries(Object.entries(alerts).filter(([, value]) => value !== null));
}

const WRONG: Record<string, string> = {
  late: "it is late",
  too_long: "a run takes too long",
  stuck: "a run shows no progress",
  no_success: "no run succeeds",
  failures: "runs fail",
};

/** What is wrong with the schedule now. */
function Incidents({ workspace, of }: { workspace: string; of: readonly Incident[] }) {
  if (of.length === 0) return null;
  return (
    <ul class="warnings" aria-label="What is wrong now">
      {of.map((one) => (
        <li key={one.incident}>
          <Icon name="warn" />
          <span>
            {capital(WRONG[one.alert] ?? one.alert)}
            {one.count !== null && ` (${count(one.count, "time")})`}, since <Ago at={one.since} />.{" "}
            {one.run && <a href={to(workspace, "runs", one.run)}>Show the run</a>}
          </span>
        </li>
      ))}
    </ul>
  );
}

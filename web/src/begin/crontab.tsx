import { useEffect } from "preact/hooks";

import { Moments, Warnings } from "../actions/would";
import { asProblem, type Order, planned, type Schemas } from "../api/client";
import { cronWords } from "../cron";
import { useForm, type Values } from "../forms/draft";
import { CheckField, TextArea, ZoneField } from "../forms/fields";
import { FileButton } from "../forms/file_button";
import { CommandForm, openForm, Part } from "../forms/form";
import { Icon } from "../parts/icons";
import { count } from "../words";

type Line = Schemas["CrontabLine"];
type Plan = Schemas["CrontabPlan"];

const PATH = "/v1/{workspace}/plans/crontab";
const TYPING_MS = 400;
const EXAMPLE = "30 2 * * MON-FRI  /usr/local/bin/report --all";

/** Opens what makes schedules of a crontab's lines, once it was seen what each becomes. */
export function openCrontab(workspace: string): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title="Import a crontab"
      begin={{}}
      orders={ordersOf}
      lacks={({ text, unread }) => {
        if (unread) return [{ path: "text", detail: String(unread) }];
        return text ? [] : [{ path: "text", detail: "Paste a crontab, or choose its file." }];
      }}
      label="Make the schedules"
      done="Made"
    >
      {({ values }) => (
        <>
          <Reading workspace={workspace} />
          {values["plan"] !== undefined && <Lines plan={values["plan"] as Plan} />}
        </>
      )}
    </CommandForm>
  ));
}

/** The commands of the lines that were not left out. */
function ordersOf({ plan, left_out }: Values): readonly Order[] {
  const leftOut = (left_out ?? []) as readonly number[];
  return ((plan as Plan | undefined)?.lines ?? [])
    .filter((one) => one.state === "new" && !leftOut.includes(one.line))
    .flatMap(({ service, schedule }) => [
      { command: "AddService", data: service },
      { command: "CreateSchedule", data: schedule },
    ]);
}

/** The crontab, or what is written instead; it is read by the service. */
function Reading({ workspace }: { workspace: string }) {
  const form = useForm();
  const { text, time_zone, system } = form.values as { text?: string; time_zone?: string; system?: boolean };
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      if (!text) return form.change({ plan: undefined, unread: undefined });
      try {
        const file = { text, system: system ?? false, time_zone: time_zone ?? null };
        form.change({ plan: await planned(PATH, workspace, file, stop.signal), unread: undefined });
      } catch (error) {
        if (stop.signal.aborted) return;
        const { message, errors } = asProblem(error);
        form.change({ plan: undefined, unread: errors[0]?.detail ?? message });
        form.touch("text");
      }
    }, TYPING_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [text, time_zone, system]);
  const zone = (form.values["plan"] as Plan | undefined)?.time_zone;
  return (
    <Part
      title="The crontab"
      hint="Each line becomes a service that runs its command, and a schedule that runs the service."
    >
      <p class="across">
        <FileButton label="Choose a file …" whenRead={(read) => form.change({ text: read })} />
      </p>
      <TextArea path="text" label="Lines" code wide rows={8} maxLength={200_000} placeholder={EXAMPLE} />
      <ZoneField
        path="time_zone"
        label="Time zone"
        hint={`Of lines that no CRON_TZ names one for. ${zone ? `${zone} now.` : "The workspace's, if nothing is said."}`}
      />
      <CheckField path="system" label="Each line has a user" hint="As in /etc/crontab." />
    </Part>
  );
}

function Lines({ plan }: { plan: Plan }) {
  const made = plan.lines.filter((one) => one.state === "new");
  const refused = plan.lines.filter((one) => one.state === "refused");
  const there = plan.lines.length - made.length - refused.length;
  return (
    <section class="part" aria-labelledby="lines">
      <h3 id="lines">
        {count(plan.lines.length, "job")}: {made.length} new, {there} there already, {refused.length} refused
      </h3>
      <ul class="crontab">
        {plan.settings.map((one) => (
          <li key={one.line} class="faint">
            Line {one.line}: {one.detail}.
          </li>
        ))}
        {plan.lines.map((one) => (
          <LineShown key={one.line} of={one} />
        ))}
      </ul>
    </section>
  );
}

function LineShown({ of }: { of: Line }) {
  const form = useForm();
  const leftOut = (form.values["left_out"] ?? []) as readonly number[];
  const cadence = (of.schedule?.["cadence"] ?? {}) as { cron?: string; time_zone?: string };
  const choose = (isChosen: boolean) =>
    form.set("left_out", isChosen ? leftOut.filter((one) => one !== of.line) : [...leftOut, of.line]);
  return (
    <li class={`line ${of.state}`}>
      <label>
        {of.state === "new" && (
          <input
            type="checkbox"
            checked={!leftOut.includes(of.line)}
            onChange={(event) => choose(event.currentTarget.checked)}
          />
        )}
        <code>{of.text}</code>
      </label>
      {cadence.cron && (
        <p>
          {cronWords(cadence.cron)}, {cadence.time_zone}
          {of.state === "there" && <span class="faint">. It is there already, and stays as it is.</span>}
        </p>
      )}
      {of.state === "new" && of.next.length > 0 && <Moments of={of.next} />}
      {of.notes.map((note) => (
        <p key={note} class="faint">
          {note}
        </p>
      ))}
      <Warnings of={of.warnings} />
      {of.problem && <Refused problem={of.problem} />}
    </li>
  );
}

function Refused({ problem }: { problem: NonNullable<Line["problem"]> }) {
  const details = problem.errors.length > 0 ? problem.errors.map((one) => one.detail) : [problem.detail];
  const isForbidden = details.some((one) => one.includes("EVENTJOBS_COMMANDS"));
  return (
    <p class="error">
      <Icon name="warn" /> Refused: {details.join(" ").replace(/([^.])$/, "$1.")}
      {isForbidden &&
        " Who runs the service allows it with EVENTJOBS_COMMANDS=/bin/sh; then its jobs may run anything."}
      {problem.code === "id_taken" && " It was carried over before, and changed or deleted since."}
    </p>
  );
}

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { type Allowed, type Deed, reasonOf } from "../actions/deeds";
import { ask } from "../actions/dialog";
import { ActButton } from "../actions/tools";
import type { Got, Schemas } from "../api/client";
import { Ago } from "../parts/basics";
import { Icon } from "../parts/icons";
import { addSchedule } from "../schedules/forms";
import { lacking } from "../session";
import { openServiceForm } from "../services/service_form";
import { count } from "../words";
import { openCrontab } from "./crontab";
import { openExample } from "./example";

type Page = Got<"/v1/{workspace}/jobs-page">;
type Schedule = Schemas["ScheduleItem"];

const SECTIONS = ["workspace", "active", "onboarding", "maintenance"] as const;
/** With more schedules somebody has been here before. */
const FEW = 2;
const FLOW_AUTHOR = "flow_author";
const INTEGRATION_AUTHOR = "integration_author";

/** The three steps to a first schedule, ticked off as they are taken; once all are it says so until it is sent away. */
export function FirstSteps({ workspace, page }: { workspace: string; page: Page }) {
  const [wasShown, setShown] = useState(false);
  const [isAway, setAway] = useState(false);
  const schedules = SECTIONS.flatMap((name) => page.schedules[name].items);
  const jobs = page.services.count + page.flows.count;
  const active = schedules.find((one) => one.active);
  const isNew = active === undefined && schedules.length <= FEW && schedules.every((one) => one.managed === null);
  if (isNew && !wasShown) setShown(true);
  if (isAway || (!isNew && !wasShown)) return null;
  return (
    <section class="card first-steps" aria-labelledby="first-steps">
      <h2 id="first-steps">{active ? "Your first schedule is active" : "Three steps to a first schedule"}</h2>
      <ol>
        <Step isDone={jobs > 0} title="Add a service" text={jobs > 0 ? `${count(jobs, "job")} here` : SERVICE}>
          <ActButton
            label="Add a service"
            icon="plus"
            isMain={jobs === 0}
            reason={lacking(FLOW_AUTHOR)}
            act={() => void openServiceForm(workspace)}
          />
        </Step>
        <Step
          isDone={schedules.length > 0}
          title="Make a schedule"
          text={schedules.length > 0 ? `${count(schedules.length, "schedule")} here` : SCHEDULE}
        >
          {jobs > 0 && (
            <ActButton
              label="Make a schedule"
              icon="plus"
              isMain
              reason={lacking(INTEGRATION_AUTHOR)}
              act={() => addSchedule(workspace)}
            />
          )}
        </Step>
        <Step isDone={active !== undefined} title="Activate it" text={<Activation of={active} />}>
          <Activate workspace={workspace} of={schedules[0]} />
        </Step>
      </ol>
      {active ? (
        <button type="button" onClick={() => setAway(true)}>
          Good, put this away
        </button>
      ) : (
        <p class="otherwise">
          <span class="faint">Or begin with something that is there:</span>
          <ActButton
            label="Make the example"
            reason={lacking(FLOW_AUTHOR) ?? lacking(INTEGRATION_AUTHOR)}
            act={() => openExample(workspace)}
          />
          <ActButton
            label="Import a crontab"
            reason={lacking(FLOW_AUTHOR) ?? lacking(INTEGRATION_AUTHOR)}
            act={() => openCrontab(workspace)}
          />
        </p>
      )}
    </section>
  );
}

const SERVICE = "A service is what is run: a load, an export, a call, a program.";
const SCHEDULE = "It says when which services run, in which order.";
const ACTIVATE = "From then on it runs by itself, and each of its moments has an outcome that you can look up.";

function Step(props: { isDone: boolean; title: string; text: ComponentChildren; children?: ComponentChildren }) {
  const { isDone } = props;
  return (
    <li class={isDone ? "done" : undefined}>
      <span class="tick">{isDone && <Icon name="tick" />}</span>
      <div>
        <strong>{props.title}</strong>
        {isDone && <span class="unseen"> (done)</span>}
        <small>{props.text}</small>
      </div>
      {!isDone && props.children}
    </li>
  );
}

function Activation({ of }: { of: Schedule | undefined }) {
  if (!of) return <>{ACTIVATE}</>;
  if (!of.next_due) return <>{of.description || of.id} is active</>;
  return (
    <>
      {of.description || of.id} runs next <Ago at={of.next_due.due} />
    </>
  );
}

function Activate({ workspace, of }: { workspace: string; of: Schedule | undefined }) {
  const reason = of ? reasonOf(of.actions as Record<string, Allowed>, "activate") : "there is no schedule yet";
  return (
    <ActButton
      label="Activate it"
      isMain={of !== undefined}
      reason={reason}
      act={() => of && ask(workspace, deed(of))}
    />
  );
}

function deed({ id, description }: Schedule): Deed {
  return {
    name: "activate",
    label: "Activate",
    title: `Activate ${description || id}?`,
    command: "ActivateSchedule",
    fields: { id },
    asks: "activation",
    done: "Activated",
  };
}

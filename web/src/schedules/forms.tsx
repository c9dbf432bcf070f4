import "./schedules.css";

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { asProblem, type Order, type Problem, read } from "../api/client";
import type { Draft, Values } from "../forms/draft";
import { slug } from "../forms/slug";
import type { Tried } from "../forms/dry_run";
import { CheckField, TextField } from "../forms/fields";
import { CommandForm, Folded, openForm, Part, Sheet } from "../forms/form";
import type { Newest } from "../forms/overtaken";
import { Loading, Trouble } from "../parts/basics";
import { cadence } from "../words";
import { AlertFields, alertLacks } from "./alerts";
import { CadenceFields } from "./cadence_fields";
import { Foresight } from "./foresight";
import { type Choices, JobTable, readChoices } from "./job_table";
import { type Calendars, PolicyFields, readCalendars, TimingFields } from "./policy_fields";
import {
  begin,
  cadenceFields,
  cadenceLacks,
  type CadenceValues,
  cadenceValues,
  changes,
  creation,
  differences,
  lacks,
  type ScheduleValues,
  type Shown,
  typed,
  valuesOf,
} from "./values";

/** What a form needs to know before it can be shown. */
interface Around {
  zone: string;
  choices: Choices;
  calendars: Calendars;
}

export function addSchedule(workspace: string): void {
  openForm(() => (
    <Read title="Add schedule" what={() => around(workspace)}>
      {(around) => <AddSchedule workspace={workspace} {...around} />}
    </Read>
  ));
}

export function editSchedule(workspace: string, id: string): void {
  openForm(() => (
    <Read
      title="Edit schedule"
      what={async () => ({ ...(await around(workspace)), shown: await newest(workspace, id) })}
    >
      {(all) => <EditSchedule workspace={workspace} {...all} />}
    </Read>
  ));
}

export function editCadence(workspace: string, id: string): void {
  openForm(() => (
    <Read
      title="Edit cadence"
      what={async () => ({ zone: await zoneOf(workspace), shown: await newest(workspace, id) })}
    >
      {(all) => <EditCadence workspace={workspace} {...all} />}
    </Read>
  ));
}

async function around(workspace: string): Promise<Around> {
  const [zone, choices, calendars] = await Promise.all([
    zoneOf(workspace),
    readChoices(workspace),
    readCalendars(workspace),
  ]);
  return { zone, choices, calendars };
}

async function zoneOf(workspace: string): Promise<string> {
  return (await read("/v1/{workspace}", { workspace })).time_zone;
}

async function newest(workspace: string, id: string): Promise<Shown> {
  return read("/v1/{workspace}/schedules/{id}", { workspace, id });
}

/** Shows a form once what it needs was read. */
function Read<T>(props: { title: string; what: () => Promise<T>; children: (found: T) => ComponentChildren }) {
  const [found, setFound] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    props.what().then(setFound, (error: unknown) => setProblem(asProblem(error)));
  }, []);
  if (found !== undefined) return <>{props.children(found)}</>;
  return (
    <Sheet title={props.title} isChanged={false}>
      <div class="form">{problem ? <Trouble problem={problem} /> : <Loading />}</div>
    </Sheet>
  );
}

function AddSchedule({ workspace, zone, choices, calendars }: Around & { workspace: string }) {
  const [first] = useState(() => begin(zone));
  return (
    <CommandForm
      workspace={workspace}
      title="Add schedule"
      begin={first as unknown as Values}
      orders={(values) => [creation(withId(typed(values)))]}
      lacks={(values) => [...lacks(typed(values)), ...alertLacks(values)]}
      label="Save"
      done="The schedule is made"
      foreseen={foreseen(workspace, (values) =>
        values.active ? undefined : [creation(withId({ ...values, active: true }))],
      )}
    >
      {(draft) => (
        <>
          <Part title="Schedule">
            <TextField path="description" label="Description" wide placeholder="Nightly load of contacts" />
            <TextField
              path="id"
              label="Id"
              code
              maxLength={64}
              placeholder={withId(typed(draft.values)).id}
              hint="What the API and files call it; it stays."
            />
            <CheckField
              path="active"
              label="Active from now on"
              hint="Otherwise it waits until somebody activates it."
            />
          </Part>
          <Cadence zone={zone} />
          <Part title="Jobs to run">
            <JobTable choices={choices} />
          </Part>
          <Rules calendars={calendars} />
          <details class="part">
            <summary>When people are told</summary>
            <div class="parts">
              <AlertFields />
            </div>
          </details>
        </>
      )}
    </CommandForm>
  );
}

/** Without an id that was filled in it has one of its description, where that gives one. */
function withId(values: ScheduleValues): ScheduleValues {
  return { ...values, id: values.id ?? slug(values.description) };
}

function EditSchedule({ workspace, shown, zone, choices, calendars }: Around & { workspace: string; shown: Shown }) {
  const [first] = useState(() => valuesOf(shown));
  return (
    <CommandForm
      workspace={workspace}
      title={`Edit ${shown.description || shown.id}`}
      begin={first as unknown as Values}
      version={shown.version}
      reread={() => reread(workspace, shown.id, valuesOf)}
      orders={(values, version, opened) => changes(shown.id, typed(opened), typed(values), version)}
      lacks={(values) => lacks(typed(values))}
      label="Save"
      done="Saved"
      foreseen={foreseen(workspace, (values) => activation(shown, changes(shown.id, first, values, undefined)))}
    >
      {() => (
        <>
          <Part title="Schedule">
            <TextField path="description" label="Description" wide />
          </Part>
          <Cadence zone={zone} />
          <Part title="Jobs to run" hint="Another table counts from the next run on, and starts none.">
            <JobTable choices={choices} />
          </Part>
          <Rules calendars={calendars} />
        </>
      )}
    </CommandForm>
  );
}

function EditCadence({ workspace, shown, zone }: { workspace: string; shown: Shown; zone: string }) {
  const [first] = useState(() => ({ cadence: cadenceValues(shown.cadence) }));
  const ofCadence = (newer: Shown) => ({ cadence: cadenceValues(newer.cadence) });
  const edit = (cadence: CadenceValues, ifMatch?: number): Order => ({
    command: "EditCadence",
    data: { id: shown.id, cadence: cadenceFields(cadence) },
    ifMatch,
  });
  return (
    <CommandForm
      workspace={workspace}
      title={`Edit the cadence of ${shown.description || shown.id}`}
      begin={first}
      version={shown.version}
      reread={() => reread(workspace, shown.id, ofCadence)}
      orders={(values, ifMatch, opened) => {
        const [from, to] = [typed(opened), typed(values)].map((one) => cadenceFields(one.cadence));
        if (JSON.stringify(from) === JSON.stringify(to)) return [];
        return [edit(typed(values).cadence, ifMatch)];
      }}
      lacks={(values) => cadenceLacks(typed(values).cadence)}
      label="Save"
      done="The cadence is saved"
      foreseen={foreseen(workspace, ({ cadence }) => activation(shown, [edit(cadence)]))}
    >
      {() => (
        <>
          {shown.managed && <Managed of={shown.managed} />}
          <Cadence zone={zone} />
        </>
      )}
    </CommandForm>
  );
}

/** Says what of a managed schedule can be edited here, and what becomes of it. */
function Managed({ of }: { of: NonNullable<Shown["managed"]> }) {
  const overrides = Object.keys(of.overrides ?? {});
  return (
    <div class="told">
      <p>
        The integration <strong>{of.integration}</strong> manages this schedule: only its cadence can be changed here.
      </p>
      <p>
        What you change is kept by every sync; a change of the definition no longer reaches it until the override is
        cleared.
      </p>
      {of.cadence && (
        <p class="faint">
          Its definition says: {cadence(of.cadence)}, {of.cadence.time_zone}.{" "}
          {overrides.length > 0 && `Overridden already: ${overrides.join(" and ")}.`}
        </p>
      )}
    </div>
  );
}

function Cadence({ zone }: { zone: string }) {
  return (
    <Part title="When it runs">
      <CadenceFields zone={zone} />
    </Part>
  );
}

function Rules({ calendars }: { calendars: Calendars }) {
  return (
    <>
      <Folded title="How it keeps time">
        <TimingFields />
      </Folded>
      <Folded title="When things do not go as planned">
        <PolicyFields calendars={calendars} />
      </Folded>
    </>
  );
}

async function reread(workspace: string, id: string, of: (shown: Shown) => object): Promise<Newest> {
  const shown = await newest(workspace, id);
  const values = of(shown) as Values;
  return { version: shown.version, values, told: (from) => differences(typed(from), typed(values)) };
}

/** What is foreseen; `activating` are the commands that would activate the schedule besides, if it is not active. */
function foreseen(
  workspace: string,
  activating: (values: ScheduleValues) => readonly Order[] | undefined,
): (tried: Tried, draft: Draft) => ComponentChildren {
  return ({ preview }, { values }) =>
    preview && <Foresight workspace={workspace} preview={preview} ifActive={activating(typed(values))} />;
}

function activation({ id, active }: Shown, orders: readonly Order[]): readonly Order[] | undefined {
  return active ? undefined : [...orders, { command: "ActivateSchedule", data: { id } }];
}

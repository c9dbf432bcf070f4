import "./blackouts.css";

import { useState } from "preact/hooks";

import { asProblem, planned, read, type Schemas } from "../api/client";
import { differences } from "../forms/differences";
import { alike, useForm, type Values } from "../forms/draft";
import { TextField, ZoneField } from "../forms/fields";
import { FileButton } from "../forms/file_button";
import { CommandForm, openForm, Part } from "../forms/form";
import { opening } from "../forms/opening";
import { slug } from "../forms/slug";
import { Icon } from "../parts/icons";
import { say } from "../parts/toast";
import { count } from "../words";
import { type Calendar, Entries, entryLacks, KINDS } from "./entries";

type Plan = Schemas["CalendarPlan"];

const PATH = "/v1/{workspace}/calendars/{id}";
const PARTS: Readonly<Record<string, string>> = {
  name: "its name",
  time_zone: "its zone",
  ...Object.fromEntries(KINDS.map(({ kind, many }) => [kind, `its ${many}`])),
};

/** Opens the form of a new blackout calendar. */
export function addCalendar(workspace: string): Promise<void> {
  return opening(async () => {
    const { time_zone } = await read("/v1/{workspace}", { workspace });
    const begin = { time_zone, ...Object.fromEntries(KINDS.map(({ kind }) => [kind, []])) };
    openForm(() => (
      <CommandForm
        workspace={workspace}
        title="Add a calendar"
        command="SaveCalendar"
        fields={(values) => ({ ...values, id: values["id"] ?? slug(values["name"]) })}
        begin={begin}
        lacks={lacks}
        label="Save"
        done="The calendar is made; schedules name it among what they do when things do not go as planned"
      >
        {(draft) => (
          <Fields workspace={workspace}>
            <TextField
              path="id"
              label="Id"
              code
              maxLength={64}
              placeholder={slug(draft.values["name"])}
              hint="Stays for ever. Empty: made of the name."
            />
          </Fields>
        )}
      </CommandForm>
    ));
  });
}

/** Opens the form of a blackout calendar, as it is now. */
export function editCalendar(workspace: string, id: string): Promise<void> {
  return opening(async () => {
    const shown = await read(PATH, { workspace, id });
    const reread = async () => {
      const newest = await read(PATH, { workspace, id });
      const values = begun(newest);
      return { version: newest.version, values, told: (from: Values) => differences(from, values, PARTS) };
    };
    openForm(() => (
      <CommandForm
        workspace={workspace}
        title={`Edit ${shown.name}`}
        command="SaveCalendar"
        fields={(values) => ({ ...values, id })}
        begin={begun(shown)}
        version={shown.version}
        reread={reread}
        lacks={lacks}
        label="Save"
        done="The calendar is saved"
      >
        {() => <Fields workspace={workspace} />}
      </CommandForm>
    ));
  });
}

function begun(shown: Calendar): Values {
  const entries = KINDS.map(({ kind }) => [kind, shown[kind].map(filled)]);
  return { name: shown.name, time_zone: shown.time_zone, ...Object.fromEntries(entries) };
}

/** An entry without what it leaves open. */
function filled(entry: object): Values {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null && value !== ""));
}

function lacks(values: Values) {
  const name = values["name"] ? [] : [{ path: "name", detail: "A calendar has a name." }];
  return [...name, ...entryLacks(values)];
}

function Fields({ workspace, children }: { workspace: string; children?: preact.ComponentChildren }) {
  return (
    <>
      <Part title="The calendar">
        <TextField path="name" label="Name" required maxLength={200} placeholder="Holidays" />
        {children}
        <ZoneField path="time_zone" label="Time zone" required hint="All its times are local to it." />
        <Import workspace={workspace} />
      </Part>
      {KINDS.map((one) => (
        <Entries key={one.kind} of={one} />
      ))}
    </>
  );
}

/** Takes in the events of an .ics file, beside the entries that are there. */
function Import({ workspace }: { workspace: string }) {
  const form = useForm();
  const [told, setTold] = useState<Pick<Plan, "refused" | "notes">>();
  const take = async (text: string) => {
    try {
      const file = { text, time_zone: (form.values["time_zone"] as string | undefined) ?? null };
      const plan = await planned("/v1/{workspace}/plans/calendar", workspace, file, new AbortController().signal);
      const found = KINDS.map(({ kind }) => [kind, joined(form.values[kind], plan.content[kind])] as const);
      const taken = found.reduce((sum, [kind, entries]) => sum + entries.length - lengthOf(form.values[kind]), 0);
      form.change({ ...Object.fromEntries(found), name: form.values["name"] ?? plan.content["name"] ?? undefined });
      setTold(plan);
      say(`${count(taken, "entry", "entries")} taken in from the file; nothing is saved yet.`);
    } catch (error) {
      const { message, errors } = asProblem(error);
      say(`The file was not taken in: ${errors[0]?.detail ?? message}.`);
    }
  };
  return (
    <div class="across">
      <FileButton label="Take in an .ics file …" accept=".ics,text/calendar" whenRead={(text) => void take(text)} />
      {told && (told.refused.length > 0 || told.notes.length > 0) && (
        <ul class="warnings" aria-label="What was not taken in">
          {told.refused.map(({ event, detail }) => (
            <li key={event + detail}>
              <Icon name="warn" /> {event} is left out: {detail}.
            </li>
          ))}
          {told.notes.map((note) => (
            <li key={note}>
              <Icon name="warn" /> {note}.
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Entries with those of a file that are not among them. */
function joined(present: unknown, found: unknown): readonly Values[] {
  const mine = (present ?? []) as readonly Values[];
  const theirs = ((found ?? []) as readonly Values[]).map(filled);
  return [...mine, ...theirs.filter((one) => !mine.some((other) => alike(one, other)))];
}

function lengthOf(entries: unknown): number {
  return ((entries ?? []) as readonly unknown[]).length;
}

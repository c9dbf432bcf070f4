import { useRef, useState } from "preact/hooks";

import type { Fault, Schemas } from "../api/client";
import { useAdded } from "../forms/added";
import { useField, type Values } from "../forms/draft";
import { Hint, type Option, SetField, TextField } from "../forms/fields";
import { Part } from "../forms/form";
import { Icon } from "../parts/icons";
import { capital } from "../words";

export type Calendar = Schemas["CalendarItem"];
type Kind = "dates" | "ranges" | "weekly" | "yearly";

const FIRST = 50;
const DAYS: readonly Option[] = [
  ["mon", "Mon"],
  ["tue", "Tue"],
  ["wed", "Wed"],
  ["thu", "Thu"],
  ["fri", "Fri"],
  ["sat", "Sat"],
  ["sun", "Sun"],
];

/** What an entry may be, and what it has to say. */
export const KINDS: readonly {
  kind: Kind;
  title: string;
  one: string;
  many: string;
  hint: string;
  needs: Readonly<Record<string, string>>;
}[] = [
  {
    kind: "dates",
    title: "Days",
    one: "day",
    many: "days",
    hint: "Whole days, as the calendar's zone has them.",
    needs: { date: "A day is needed." },
  },
  {
    kind: "ranges",
    title: "Spans",
    one: "span",
    many: "spans",
    hint: "From one moment to another, the end not in it.",
    needs: { start: "A beginning is needed.", end: "An end is needed." },
  },
  {
    kind: "weekly",
    title: "Every week",
    one: "weekly time",
    many: "weekly times",
    hint: "An end that is not later than the start is on the next day: 00:00 to 00:00 is the whole day.",
    needs: { days: "Choose at least one day.", start: "A beginning is needed.", end: "An end is needed." },
  },
  {
    kind: "yearly",
    title: "Every year",
    one: "yearly time",
    many: "yearly times",
    hint: "Whole days, both in it; 12-24 to 01-02 goes over New Year.",
    needs: { start: "A first day is needed.", end: "A last day is needed." },
  },
];

/** The entries of one kind, in rows that are filled in. */
export function Entries({ of: { kind, title, one, hint } }: { of: (typeof KINDS)[number] }) {
  const field = useField<readonly Values[]>(kind, { label: title });
  const [most, setMost] = useState(FIRST);
  const box = useRef<HTMLDivElement>(null);
  const added = useAdded(box);
  const entries = field.value ?? [];
  const add = () => {
    field.set([...entries, kind === "weekly" ? { days: [] } : {}]);
    setMost(Math.max(most, entries.length + 1));
    added();
  };
  return (
    <Part title={title} hint={hint}>
      <div class="across entries" ref={box} id={field.id} tabIndex={-1}>
        {entries.length > 0 && (
          <ul>
            {entries.slice(0, most).map((_, place) => (
              <li key={place} aria-label={`${capital(one)} ${place + 1}`}>
                <div class="fields">
                  <EntryFields kind={kind} path={`${kind}.${place}`} />
                  <TextField path={`${kind}.${place}.note`} label="Note" maxLength={2000} />
                </div>
                <button
                  type="button"
                  class="quiet square"
                  aria-label={`Remove ${one} ${place + 1}`}
                  title="Remove"
                  onClick={() => field.set(entries.filter((_, at) => at !== place))}
                >
                  <Icon name="cross" />
                </button>
              </li>
            ))}
          </ul>
        )}
        {entries.length > most && (
          <button type="button" onClick={() => setMost(entries.length)}>
            Show all {entries.length}
          </button>
        )}
        <button type="button" onClick={add}>
          <Icon name="plus" /> Add a {one}
        </button>
        <Hint of={field} hint="" />
      </div>
    </Part>
  );
}

function EntryFields({ kind, path }: { kind: Kind; path: string }) {
  if (kind === "dates") return <TextField path={`${path}.date`} label="Day" type="date" required />;
  if (kind === "yearly") {
    return (
      <>
        <TextField path={`${path}.start`} label="First day" code required maxLength={5} placeholder="12-24" />
        <TextField path={`${path}.end`} label="Last day" code required maxLength={5} placeholder="12-26" />
      </>
    );
  }
  const type = kind === "weekly" ? "time" : "datetime-local";
  return (
    <>
      {kind === "weekly" && <SetField path={`${path}.days`} label="On" options={DAYS} />}
      <TextField path={`${path}.start`} label="From" type={type} required />
      <TextField path={`${path}.end`} label="To" type={type} required />
      {kind === "weekly" && (
        <>
          <TextField path={`${path}.first`} label="First on" type="date" />
          <TextField path={`${path}.last`} label="Last on" type="date" />
        </>
      )}
    </>
  );
}

/** Says what entries lack. */
export function entryLacks(values: Values): readonly Fault[] {
  return KINDS.flatMap(({ kind, needs }) =>
    ((values[kind] ?? []) as readonly Values[]).flatMap((entry, place) =>
      Object.entries(needs)
        .filter(([name]) => entry[name] === undefined || (entry[name] as readonly unknown[]).length === 0)
        .map(([name, detail]) => ({ path: `${kind}.${place}.${name}`, detail })),
    ),
  );
}

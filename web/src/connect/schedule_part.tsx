import type { ComponentChildren } from "preact";

import { type Draft, useField } from "../forms/draft";
import { ChoiceField, NumberField, type Option, SelectField, SetField, TextField, ZoneField } from "../forms/fields";
import { Folded, Part } from "../forms/form";
import { Icon } from "../parts/icons";
import { wallClock } from "../words";
import { SLOTS, windowOf } from "./slots";
import type { Outlook } from "./wizard";

const TYPES: readonly Option[] = [
  ["on_demand", "On demand"],
  ["once", "Once"],
  ["daily", "Daily"],
  ["weekly", "Weekly"],
  ["monthly", "Monthly"],
  ["hourly", "Hourly"],
];
const DAYS: readonly Option[] = [
  ["mon", "Mon"],
  ["tue", "Tue"],
  ["wed", "Wed"],
  ["thu", "Thu"],
  ["fri", "Fri"],
  ["sat", "Sat"],
  ["sun", "Sun"],
];
const MONTH_DAYS: readonly Option[] = [
  ...Array.from({ length: 28 }, (_, day) => [String(day + 1), `the ${ordinal(day + 1)}`] as const),
  ["last", "the last day"],
];
const HOURS: readonly Option[] = Array.from({ length: 24 }, (_, hour) => [
  String(hour),
  `${String(hour).padStart(2, "0")} h`,
]);

interface Free {
  date: string;
  hour: number;
  slot: string;
}

/** When it runs: the type, the day that goes with it, and the quarter of an hour in which the minute is drawn. */
export function SchedulePart(props: {
  draft: Draft;
  outlook: Outlook;
  /** Whose moments the dry run tells, such as `group/nightly`. */
  owner: string;
}) {
  const { draft, outlook } = props;
  const filled = (draft.values["schedule"] ?? {}) as Record<string, unknown>;
  const type = String(filled["type"] ?? "on_demand");
  const recurs = !["on_demand", "once"].includes(type);
  return (
    <Part title="When it runs">
      <ChoiceField path="schedule.type" label="How often" options={TYPES} />
      {type === "once" && <TextField path="schedule.date" label="Date" type="date" required />}
      {type === "weekly" && <SetField path="schedule.days" label="On these days" options={DAYS} />}
      {type === "monthly" && (
        <SelectField
          path="schedule.day"
          label="On"
          options={MONTH_DAYS}
          empty="Choose a day"
          required
          hint="Not every month has a 29th, 30th or 31st; every month has a last day."
        />
      )}
      {type === "hourly" && (
        <NumberField
          path="schedule.every"
          label="Every"
          min={1}
          max={23}
          unit="hours"
          required
          hint="In the hours 0, this many, twice as many and so on."
        />
      )}
      {type !== "on_demand" && (
        <>
          {type !== "hourly" && (
            <SelectField
              path="schedule.hour"
              label="In the hour"
              options={HOURS}
              empty="Choose an hour"
              required
              whenChosen={() => draft.set("schedule.at", undefined)}
            />
          )}
          <SlotField draft={draft} hour={type === "hourly" ? undefined : filled["hour"]} />
        </>
      )}
      <Findings draft={draft} outlook={outlook} type={type} />
      <When outlook={outlook} owner={props.owner} type={type} />
      {type !== "on_demand" && <ZoneField path="schedule.time_zone" label="Time zone" />}
      {recurs && (
        <>
          <TextField path="schedule.from" label="Not before" type="date" hint="Empty: from now on." />
          <TextField path="schedule.until" label="Not after" type="date" hint="Empty: without an end." />
          <ChoiceField
            path="schedule.redraw"
            label="The minute in the slot is drawn"
            options={[
              ["per_schedule", "Once, and stays"],
              ["per_occurrence", "Anew for each run"],
            ]}
          />
        </>
      )}
    </Part>
  );
}

function SlotField({ draft, hour }: { draft: Draft; hour: unknown }) {
  return (
    <ChoiceField
      path="schedule.slot"
      label="In the slot"
      options={SLOTS.map((slot) => [slot, windowOf(hour, slot)] as const)}
      whenChosen={() => draft.set("schedule.at", undefined)}
      hint="The minute is drawn in the slot, so that starts are spread."
    />
  );
}

/** What is wrong with the schedule as a whole, and the way out of a slot that is under way. */
function Findings({ draft, outlook, type }: { draft: Draft; outlook: Outlook; type: string }) {
  const { id, fault } = useField("schedule", { label: "Schedule" });
  const free = freeSlot(outlook);
  const take = (slot: Free) =>
    draft.change({
      "schedule.at": undefined,
      "schedule.hour": String(slot.hour),
      "schedule.slot": slot.slot,
      ...(type === "once" ? { "schedule.date": slot.date } : {}),
    });
  return (
    <div class="across" id={id} tabIndex={-1}>
      {fault && <p class="error">{fault}</p>}
      {free && (
        <div class="notice slot-taken" role="alert">
          <Icon name="warn" />
          <p>A part of this slot is over already.</p>
          <button type="button" onClick={() => take(free)}>
            Take the next free one: {wallClock(`${free.date}T00:00:00`).replace(/,.*/, "")},{" "}
            {windowOf(free.hour, free.slot)}
          </button>
        </div>
      )}
    </div>
  );
}

function freeSlot({ prevented, saved }: Outlook): Free | undefined {
  const told = [...prevented, saved.problem?.more].find((one) => one && "next_free_slot" in one);
  return told?.["next_free_slot"] as Free | undefined;
}

/** The first run in words: the window, and the minute that was drawn in it or will be. */
function When({ outlook, owner, type }: { outlook: Outlook; owner: string; type: string }) {
  if (type === "on_demand") return <p class="across faint">It runs when somebody starts it.</p>;
  const { preview, problem, isOld } = outlook.active;
  const first = problem || isOld ? undefined : preview?.next[owner]?.[0];
  if (!first) return null;
  const minute = Number(first.local.slice(14, 16));
  const isOpen = first.drawn?.includes("local") ?? false;
  return (
    <p class="across first-run">
      <HourStrip minute={minute} isOpen={isOpen} />
      <span>
        First run {wallClock(first.local).replace(/,[^,]*$/, "")}, in the window <strong>{first.window}</strong>;{" "}
        {isOpen ? (
          "its minute is drawn when you save this as active."
        ) : (
          <>
            the minute that was drawn is <strong>{first.local.slice(11, 16)}</strong>.
          </>
        )}
      </span>
    </p>
  );
}

/** An hour with its four slots, the chosen one marked, and the minute in it once it is drawn. */
function HourStrip({ minute, isOpen }: { minute: number; isOpen: boolean }) {
  const chosen = Math.floor(minute / 15);
  return (
    <svg class="hour-strip" viewBox="0 0 124 20" aria-hidden="true">
      {SLOTS.map((_, place) => (
        <rect
          key={place}
          x={2 + place * 30}
          y="4"
          width="28"
          height="12"
          rx="3"
          class={place === chosen ? "chosen" : undefined}
        />
      ))}
      {!isOpen && <circle cx={2 + chosen * 30 + ((minute % 15) + 0.5) * (28 / 15)} cy="10" r="4" />}
    </svg>
  );
}

const OVERLAPS: readonly Option[] = [
  ["skip", "Skip the new one"],
  ["queue_one", "Let one wait"],
  ["queue_all", "Let all wait"],
  ["cancel_running", "Stop the one that runs"],
];

/** How it behaves where something is in the way. */
export function PolicyPart() {
  return (
    <Folded title="When it is late, meets itself, or the clocks change">
      <SelectField path="policies.overlap" label="When it is due while it runs" options={OVERLAPS} />
      <SelectField
        path="policies.catch_up"
        label="What fell due while the service was down"
        options={[
          ["due", "Runs late, once"],
          ["never", "Is missed"],
        ]}
      />
      <SelectField
        path="policies.gap"
        label="A time that the clocks leave out"
        options={[
          ["shift", "Moves on by the hour"],
          ["skip", "Has no run that day"],
        ]}
      />
      <SelectField
        path="policies.repeat"
        label="A time that the clocks show twice"
        options={[
          ["first", "Runs the first time"],
          ["second", "Runs the second time"],
          ["both", "Runs both times"],
        ]}
      />
    </Folded>
  );
}

/** Until when it may be used. */
export function ExpiryPart({ draft, hasDefault }: { draft: Draft; hasDefault: boolean }) {
  const value = draft.values["expires_on"] as string | undefined;
  const isDated = value !== undefined && value !== "never";
  const chosen = isDated ? "date" : (value ?? "default");
  const options: Option[] = [
    ...(hasDefault ? [["default", "After 30 days"] as const] : []),
    ["date", "On a date"],
    ["never", "Never"],
  ];
  const set = (chosen: string) =>
    draft.set("expires_on", chosen === "never" ? "never" : chosen === "date" ? inDays(30) : undefined);
  return (
    <Part title="When it expires">
      <ExpiryChoice isDated={isDated}>
        {options.map(([one, label]) => (
          <label key={one}>
            <input type="radio" name="expires" checked={one === chosen} onChange={() => set(one)} />
            <span>{label}</span>
          </label>
        ))}
      </ExpiryChoice>
      {isDated && <TextField path="expires_on" label="Last day" type="date" required />}
      {value !== "never" && (
        <ChoiceField
          path="on_expiry"
          label="When its last day is over"
          options={[
            ["delete", "It is deleted"],
            ["deactivate", "It is deactivated"],
          ]}
          hint="Its runs stay in the history either way."
        />
      )}
    </Part>
  );
}

/** Shows what is wrong with the last day where there is no field for it. */
function ExpiryChoice({ isDated, children }: { isDated: boolean; children: ComponentChildren }) {
  const { id, fault } = useField(isDated ? "" : "expires_on", { label: "Expires" });
  return (
    <fieldset id={id} class="field choices">
      <legend>Expires</legend>
      <div>{children}</div>
      {!isDated && fault && (
        <small>
          <span class="error">{fault}</span>
        </small>
      )}
    </fieldset>
  );
}

/** The date so many days from now, as the reader's calendar has it. */
export function inDays(days: number): string {
  const date = new Date();
  date.setDate(date.getDate() + days);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
}

function ordinal(number: number): string {
  const ending = { 1: "st", 2: "nd", 3: "rd" }[number % 10];
  return `${number}${number > 10 && number < 14 ? "th" : (ending ?? "th")}`;
}

import { type Day, dayName, type Slot, weekday } from "./days";
import { Blackouts, EntryLink, left, sum, Tallies } from "./entries";

export interface GridProps {
  workspace: string;
  slots: readonly Slot[];
  today: Day;
  /** The day that is looked at; a month also shows days of others. */
  day: Day;
  time: (at: string) => string;
  /** Where a day is shown alone. */
  dayAddress: (day: Day) => string;
}

/** The days of a month, in weeks. */
export function Month(props: GridProps) {
  const { workspace, slots, today, day, time, dayAddress } = props;
  const days = slots.map((slot) => ({ slot, name: slot.local.slice(0, 10) }));
  return (
    <div class="month">
      {days.slice(0, 7).map(({ name }) => (
        <span key={name} class="weekday" aria-hidden="true">
          {weekday(name)}
        </span>
      ))}
      {days.map(({ slot, name }) => (
        <section
          key={name}
          class={`cell ${name === today ? "today" : ""} ${name.slice(0, 7) === day.slice(0, 7) ? "" : "other"} ${
            slot.blackouts.length ? "black" : ""
          } ${Object.keys(slot.counts).length ? "" : "empty"}`}
          aria-label={dayName(name)}
          aria-current={name === today ? "date" : undefined}
        >
          <div class="cell-head">
            <a href={dayAddress(name)} data-day={name} aria-label={dayName(name)}>
              {Number(name.slice(8))}
              <span class="narrow"> {dayName(name).replace(/ \d+/, "")}</span>
            </a>
            <Tallies counts={slot.counts} />
          </div>
          <Blackouts slot={slot} />
          <Entries {...{ workspace, slot, time }} />
          <Left slot={slot} address={dayAddress(name)} of={dayName(name)} />
        </section>
      ))}
    </div>
  );
}

/** Seven days side by side, by the hour. */
export function Week(props: GridProps) {
  const { workspace, slots, today, time, dayAddress } = props;
  const days = [...new Set(slots.map((slot) => slot.local.slice(0, 10)))];
  return (
    <div class="week">
      {HOURS.map((hour) => (
        <span key={hour} class="hour" style={{ gridRow: hour + 2 }} aria-hidden="true">
          {String(hour).padStart(2, "0")}:00
        </span>
      ))}
      {days.map((name, place) => {
        const there = slots.filter((slot) => slot.local.startsWith(name));
        const column = { gridColumn: place + 2 };
        return (
          <section key={name} class={`day ${name === today ? "today" : ""}`} aria-label={dayName(name)}>
            <span class="lane-of-day" style={{ ...column, gridRow: "1 / -1" }} aria-hidden="true" />
            <div class="day-head" style={column}>
              <a href={dayAddress(name)} data-day={name} aria-label={dayName(name)}>
                {weekday(name)} {Number(name.slice(8))}
              </a>
              <Tallies counts={sum(there)} />
            </div>
            {HOURS.map((hour) => (
              <HourCell key={hour} {...{ workspace, time, hour, slots: there, style: column, dayAddress }} />
            ))}
          </section>
        );
      })}
    </div>
  );
}

interface HourProps extends Pick<GridProps, "workspace" | "slots" | "time" | "dayAddress"> {
  hour: number;
  style: { gridColumn: number };
}

/** An hour of the wall clock, which a change of the clocks may bring twice. */
function HourCell({ workspace, slots, time, hour, style, dayAddress }: HourProps) {
  const there = slots.filter((slot) => Number(slot.local.slice(11, 13)) === hour);
  const isBlack = there.some((slot) => slot.blackouts.length > 0);
  if (!isBlack && there.every((slot) => slot.items.length === 0)) return null;
  return (
    <div class={`hour-cell ${isBlack ? "black" : ""}`} style={{ ...style, gridRow: hour + 2 }}>
      {there.map((slot) => (
        <div key={slot.at}>
          {slot.items.length === 0 && <Blackouts slot={slot} />}
          <Entries {...{ workspace, slot, time }} />
          <Left slot={slot} address={dayAddress(slot.local.slice(0, 10))} of={time(slot.at)} />
        </div>
      ))}
    </div>
  );
}

/** One day, hour by hour; hours in which nothing is are left out. */
export function DayList({ workspace, slots, time }: GridProps) {
  const shown = slots.filter((slot) => slot.items.length > 0 || slot.blackouts.length > 0);
  return (
    <ol class="hours">
      {shown.map((slot) => (
        <li key={slot.at} class={slot.blackouts.length ? "black" : ""}>
          <h3>
            <time dateTime={slot.at}>{time(slot.at)}</time>
          </h3>
          <div>
            <Blackouts slot={slot} />
            <Entries {...{ workspace, slot, time }} />
            {left(slot) > 0 && (
              <p class="faint">{left(slot).toLocaleString("en")} more: choose an owner or an outcome.</p>
            )}
          </div>
          <Tallies counts={slot.counts} />
        </li>
      ))}
    </ol>
  );
}

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

function Entries({ workspace, slot, time }: { workspace: string; slot: Slot; time: (at: string) => string }) {
  if (slot.items.length === 0) return null;
  return (
    <ul class="entries">
      {slot.items.map((entry) => (
        <li key={`${entry.owner.kind}/${entry.owner.id}/${entry.outcome}/${entry.due}`}>
          <EntryLink workspace={workspace} entry={entry} time={time} />
        </li>
      ))}
    </ul>
  );
}

function Left({ slot, address, of }: { slot: Slot; address: string; of: string }) {
  const more = left(slot);
  if (more === 0) return null;
  return (
    <a class="left" href={address} aria-label={`${more.toLocaleString("en")} more of ${of}`}>
      {more.toLocaleString("en")} more
    </a>
  );
}

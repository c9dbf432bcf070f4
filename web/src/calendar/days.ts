import type { Schemas } from "../api/client";

export type Slot = Schemas["CalendarSlot"];
export type Entry = Schemas["CalendarEntry"];
/** A day of a zone's calendar: `2026-11-23`. */
export type Day = string;
export type ViewName = "month" | "week" | "day";

const DAY_MS = 86_400_000;
const LENGTHS: Record<Exclude<ViewName, "month">, number> = { week: 7, day: 1 };

function utc(day: Day): Date {
  return new Date(`${day}T00:00:00Z`);
}

/** Returns a day so many days later, or earlier. */
export function plusDays(day: Day, days: number): Day {
  return new Date(utc(day).getTime() + days * DAY_MS).toISOString().slice(0, 10);
}

function plusMonths(day: Day, months: number): Day {
  const first = utc(`${day.slice(0, 7)}-01`);
  first.setUTCMonth(first.getUTCMonth() + months);
  return first.toISOString().slice(0, 10);
}

function mondayOf(day: Day): Day {
  return plusDays(day, -((utc(day).getUTCDay() + 6) % 7));
}

/** Returns the day that a zone has at an instant. */
export function dayIn(zone: string, at: number | string): Day {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date(at));
}

/** Tells whether a text is a day. */
export function isDay(text: string | null): text is Day {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(utc(text).getTime());
}

/** Returns the first day that a view shows around a day, and how many: whole weeks from Monday on for a month. */
export function rangeOf(view: ViewName, day: Day): { since: Day; days: number } {
  if (view === "day") return { since: day, days: LENGTHS.day };
  if (view === "week") return { since: mondayOf(day), days: LENGTHS.week };
  const first = `${day.slice(0, 7)}-01`;
  const since = mondayOf(first);
  const length = (utc(plusMonths(first, 1)).getTime() - utc(since).getTime()) / DAY_MS;
  return { since, days: Math.ceil(length / 7) * 7 };
}

/** Returns the day to go to from a day of a view, so many of its pages on. */
export function turned(view: ViewName, day: Day, pages: number): Day {
  return view === "month" ? plusMonths(day, pages) : plusDays(day, pages * LENGTHS[view]);
}

const TITLES: Record<ViewName, Intl.DateTimeFormat> = {
  month: new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }),
  week: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }),
  day: new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" }),
};
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: "UTC" });
const SAID = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });

/** Says what a view shows: `November 2026`. */
export function titleOf(view: ViewName, day: Day): string {
  const { since, days } = rangeOf(view, day);
  if (view !== "week") return TITLES[view].format(utc(day));
  return TITLES.week.formatRange(utc(since), utc(plusDays(since, days - 1)));
}

export const weekday = (day: Day) => WEEKDAY.format(utc(day));
export const dayName = (day: Day) => SAID.format(utc(day));

/** Returns how a zone's clock shows instants: `14:05`. */
export function clockIn(zone: string): (at: string | number) => string {
  const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
  return (at) => format.format(new Date(at));
}

/** Returns how a zone's calendar and clock show instants: `Mon 23 Nov, 14:05`. */
export function whenIn(zone: string): (at: string | number) => string {
  const parts = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
  const format = new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone });
  return (at) => format.format(new Date(at));
}

/** Tells whether a name is a zone that this browser can show. */
export function isZone(name: string | null): name is string {
  try {
    return name !== null && name !== "" && Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

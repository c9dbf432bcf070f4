import { computed, signal } from "@preact/signals";

import type { Schemas } from "./api/client";
import { pastAt } from "./time/moment";

/** The present, whatever is looked at. */
export const present = signal(Date.now());
setInterval(() => (present.value = Date.now()), 15_000);

/** What counts as now, for what is told relative to it: of a past moment that moment. */
export const now = computed(() => pastAt.value ?? present.value);

const PARTS = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
const SHORT = new Intl.DateTimeFormat("en-GB", PARTS);
const WALL = new Intl.DateTimeFormat("en-GB", { ...PARTS, timeZone: "UTC" });
const LONG = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en");

const EXACT = { ...PARTS, year: "numeric", second: "2-digit", timeZoneName: "short" } as const;
const EXACT_HERE = new Intl.DateTimeFormat("en-GB", EXACT);
const EXACT_UTC = new Intl.DateTimeFormat("en-GB", { ...EXACT, timeZone: "UTC" });

/** Says an instant to the second, with its zone: the reader's. */
export const exact = (instant: string | number) => EXACT_HERE.format(new Date(instant));
export const exactUtc = (instant: string | number) => EXACT_UTC.format(new Date(instant));
export const short = (instant: string | number) => SHORT.format(new Date(instant));
export const long = (instant: string | number) => LONG.format(new Date(instant));
export const clock = (instant: string | number) => CLOCK.format(new Date(instant));

/** Says how far an instant is from the present. */
export function relative(instant: string, present: number): string {
  const seconds = (Date.parse(instant) - present) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.trunc(seconds / length), unit);
  }
  return seconds < 0 ? "just now" : "in less than a minute";
}

/** Says a wall clock's time, as its zone shows it: `Sat 22 Nov, 14:00`. The reader's own zone may have no such time. */
export function wallClock(local: string): string {
  return WALL.format(new Date(`${local.slice(0, 19)}Z`));
}

export function zoneName(zone: string): string {
  return zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");
}

export function duration(from: string, until: string | number): string {
  return seconds((new Date(until).getTime() - Date.parse(from)) / 1000);
}

export function seconds(length: number): string {
  if (length < 1) return `${Math.max(0, Math.round(length * 1000))} ms`;
  const whole = Math.round(length);
  if (whole < 60) return `${length < 10 ? length.toFixed(1) : whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

type Cadence = Schemas["ScheduleItem"]["cadence"];

/** Says when a schedule runs. */
export function cadence(of: Cadence): string {
  if ("cron" in of && typeof of.cron === "string") return `cron ${of.cron}`;
  const { every, unit, start_time, start_date } = of as Schemas["CadenceShown"];
  if (unit === "once") return `Once, on ${start_date} at ${start_time}`;
  const often = every === 1 ? `Every ${unit}` : `Every ${every} ${unit}s`;
  return unit === "day" || unit === "month" ? `${often} at ${start_time}` : `${often}, from ${start_time}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Says a word of the API as people write it: `not_qualified` is `not qualified`. */
export function plain(word: string): string {
  return word.replaceAll("_", " ");
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Says who did something; an instance is known by the end of its id. */
export function actor(name: string): string {
  return name.startsWith("instance:") ? `instance …${name.slice(-6)}` : name;
}

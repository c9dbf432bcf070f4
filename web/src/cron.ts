import { capital } from "./words";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_IDS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTH_IDS = ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const MONTHS = [
  "",
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const ORDINALS = ["", "first", "second", "third", "fourth", "fifth"];

/** Says what a cron expression of five fields means: `Every day at 02:30`. */
export function cronWords(expression: string): string {
  const [minute = "*", hour = "*", date = "*", month = "*", day = "*"] = expression.trim().split(/\s+/);
  return capital([days(date, day), months(month), times(minute, hour)].filter(Boolean).join(" "));
}

function days(date: string, day: string): string {
  const [onDate, onDay] = [listed(date, dateName), listed(day, dayName)];
  if (date === "*" && day === "*") return "every day";
  if (date === "*") return `every ${onDay}`;
  if (day === "*") return /^[*]/.test(date) ? onDate : `on ${onDate} of the month`;
  const both = date.startsWith("*") || day.startsWith("*");
  return `on ${onDate} of the month ${both ? "if it is" : "and on every"} ${onDay}`;
}

function months(month: string): string {
  return month === "*" ? "" : `in ${listed(month, (one) => named(one, MONTH_IDS, MONTHS))}`;
}

function times(minute: string, hour: string): string {
  const [minutes, hours] = [numbers(minute), numbers(hour)];
  if (minutes && hours && minutes.length * hours.length <= 6) {
    return `at ${joined(hours.flatMap((one) => minutes.map((other) => `${padded(one)}:${padded(other)}`)))}`;
  }
  const every = minute === "*" ? "every minute" : stepOf(minute, "minute");
  if (hour === "*") return every ?? `at minute ${listed(minute, String)} of every hour`;
  const during = stepOf(hour, "hour") ?? `the hours ${listed(hour, String)}`;
  return every ? `${every}, ${during}` : `at minute ${listed(minute, String)}, ${during}`;
}

/** Says a list, its ranges and steps. */
function listed(field: string, name: (one: string) => string): string {
  return joined(
    field.split(",").map((part) => {
      const [range = "", step] = part.split("/");
      const [from = "", until] = range.split("-");
      const said = range === "*" ? "day" : until ? `${name(from)} to ${name(until)}` : name(from);
      return step ? `every ${nth(step)} ${said}` : said;
    }),
  );
}

function stepOf(field: string, unit: string): string | undefined {
  const step = /^\*\/(\d+)$/.exec(field)?.[1];
  return step && (step === "1" ? `every ${unit}` : `every ${step} ${unit}s`);
}

function numbers(field: string): readonly number[] | undefined {
  return /^\d+(,\d+)*$/.test(field) ? field.split(",").map(Number) : undefined;
}

function dateName(date: string): string {
  return { L: "the last day", LW: "the last weekday" }[date] ?? `day ${date}`;
}

function dayName(day: string): string {
  const [, id = day, place, last] = /^(\w+?)(?:#(\d)|(L))?$/.exec(day) ?? [];
  const name = named(id, DAY_IDS, DAYS);
  return place ? `${ORDINALS[Number(place)]} ${name}` : last ? `last ${name}` : name;
}

function named(id: string, ids: readonly string[], names: readonly string[]): string {
  const place = /^\d+$/.test(id) ? Number(id) % names.length : ids.indexOf(id.toUpperCase());
  return names[place] || id;
}

function nth(step: string): string {
  const endings: Record<string, string> = { "2": "2nd", "3": "3rd" };
  return endings[step] ?? `${step}th`;
}

function padded(number: number): string {
  return String(number).padStart(2, "0");
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

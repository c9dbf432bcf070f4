import type { Schemas } from "../api/client";
import type { Values } from "../forms/draft";

export const SLOTS = ["00-14", "15-29", "30-44", "45-59"] as const;

const START = ["hour", "slot"];
const RANGE = ["from", "until", "redraw"];
const BELONG: Readonly<Record<string, readonly string[]>> = {
  on_demand: [],
  once: ["date", ...START],
  daily: [...START, ...RANGE],
  weekly: ["days", ...START, ...RANGE],
  monthly: ["day", ...START, ...RANGE],
  hourly: ["every", "slot", ...RANGE],
};

/** Makes what is filled in of a schedule; numbers that are chosen from a list are texts there. */
export function slotsBegun(shown: Schemas["SlotScheduleShown"]): Values {
  const { minute, window, describe, hour, day, ...others } = shown;
  return { ...others, hour: asText(hour), day: asText(day) };
}

/** Makes the fields of a command of what was filled in: those that belong to the type, and no others. */
export function slotsSent(filled: Values): Values {
  const type = String(filled["type"] ?? "on_demand");
  const belong = BELONG[type] ?? [];
  const isTyped = filled["at"] != null && belong.includes("hour");
  const names = [
    "time_zone",
    ...belong.filter((name) => !isTyped || !START.includes(name)),
    ...(isTyped ? ["at"] : []),
  ];
  const given = names.filter((name) => filled[name] != null).map((name) => [name, asSent(name, filled[name])]);
  return { type, ...Object.fromEntries(given) };
}

function asSent(name: string, value: unknown): unknown {
  const isNumber = name === "hour" || (name === "day" && value !== "last");
  return isNumber ? Number(value) : value;
}

function asText(value: number | string | null): string | undefined {
  return value === null ? undefined : String(value);
}

/** Says the window of a slot as a clock shows it; without an hour, in any hour. */
export function windowOf(hour: unknown, slot: string): string {
  const on = hour === undefined || hour === "" ? "" : String(hour).padStart(2, "0");
  return slot
    .split("-")
    .map((minute) => `${on}:${minute}`)
    .join("-");
}

import type { Got } from "../api/client";
import type { Event } from "./events";

/** How many positions are looked at, at first. */
const PART = 200;
const WIDER = 4;

export interface Found {
  events: readonly Event[];
  /** Everything up to this position was looked at … */
  head: number;
  /** … from after this one on. */
  back: number;
}

export type Query = {
  after: number;
  limit: number;
  before?: number;
  wait_for?: number;
  as_of?: string;
  sentences?: boolean;
};
export type Get = (query: Query) => Promise<Got<"/v1/{workspace}/events">>;

/**
 * Finds the last facts up to a position and after another. A history is read forwards, and positions of other workspaces
 * are left out, so it is read from further and further back until there are enough, and from less far where there are
 * more than one answer holds.
 */
export async function lookBack(get: Get, head: number, downTo: number, wanted: number): Promise<Found> {
  let events: readonly Event[] = [];
  let back = head;
  let span = PART;
  while (events.length < wanted && back > downTo) {
    const after = Math.max(downTo, back - span);
    const { items, next } = await get({ after, before: back + 1, limit: PART + 1, sentences: true });
    if (next !== null && back - after > 1) {
      span = Math.max(1, Math.floor((back - after) / WIDER));
      continue;
    }
    events = [...events, ...[...items].reverse()];
    back = after;
    span *= WIDER;
  }
  return cut({ events, head, back }, wanted);
}

/** Leaves out the oldest, so that no more than these are left. */
export function cut(found: Found, most: number): Found {
  if (found.events.length <= most) return found;
  const events = found.events.slice(0, most);
  return { ...found, events, back: events.at(-1)!.position - 1 };
}

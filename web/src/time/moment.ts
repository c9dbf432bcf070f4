import { computed, signal } from "@preact/signals";

import { place, setQuery } from "../router";

/** When the page is about, as the address has it: an instant or a position of the log; empty for the present. */
export const asOf = computed(() => place.value.query.get("as_of") ?? "");

/** Why nothing can be done while the past is looked at. */
export const PAST = "this is the past: go back to now to do it";

interface Found {
  asked: string;
  position: number;
  at: string;
}

const found = signal<Found | null>(null);

/** What the service says of the moment that is looked at, once it has. */
export const moment = computed(() => (found.value?.asked === asOf.value ? found.value : null));

export function tell(asked: string, { position, at }: { position: number; at: string }): void {
  found.value = { asked, position, at };
}

/** The instant that is looked at, in milliseconds; `undefined` in the present, and of a position not yet known. */
export const pastAt = computed(() => {
  const instant = /^\d+$/.test(asOf.value) ? moment.value?.at : asOf.value;
  const at = instant ? Date.parse(instant) : NaN;
  return Number.isNaN(at) ? undefined : at;
});

/** Looks at the past, or with nothing at the present; the way there is one step back, however long the search was. */
export function lookAt(when: number | string | undefined): void {
  const wanted = typeof when === "number" ? new Date(when).toISOString().replace(".000Z", "Z") : (when ?? "");
  if (wanted !== asOf.value) setQuery({ as_of: wanted }, { step: asOf.value === "" || wanted === "" });
}

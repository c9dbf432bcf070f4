import { asProblem } from "../api/client";
import type { Values } from "../forms/draft";
import { say } from "../parts/toast";

/** Opens a form for which something is to be read first, and says why where that is not possible. */
export async function opening(open: () => Promise<void>): Promise<void> {
  try {
    await open();
  } catch (error) {
    say(asProblem(error).message);
  }
}

/** What groups and jobs begin with: they run on demand, and nobody is told. */
export function begun(zone: string): Values {
  return {
    schedule: { type: "on_demand", redraw: "per_schedule", time_zone: zone },
    notification: { mode: "none" },
    policies: { overlap: "skip", catch_up: "due", gap: "shift", repeat: "first" },
    on_expiry: "delete",
  };
}

import type { Values } from "../forms/draft";

/** What groups and jobs begin with: they run on demand, and nobody is told. */
export function begun(zone: string): Values {
  return {
    schedule: { type: "on_demand", redraw: "per_schedule", time_zone: zone },
    notification: { mode: "none" },
    policies: { overlap: "skip", catch_up: "due", gap: "shift", repeat: "first" },
    on_expiry: "delete",
  };
}

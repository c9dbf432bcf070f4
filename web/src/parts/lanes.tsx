import "./lanes.css";

import type { Schemas } from "../api/client";
import { plain } from "../words";

/** A row of a job table, as far as it says when the row runs. */
export interface Lane {
  job: Schemas["Reference"];
  /** What people call it. */
  name?: string | undefined;
  seq: number;
  skip_wait: boolean;
}

/**
 * A job table as it runs: stages from left to right by their numbers, what runs at the same time stacked, and what skips
 * the wait as bars from the start. `at` is the place of the stage that runs now, from 1.
 */
export function Lanes({ rows, at }: { rows: readonly Lane[]; at?: number | null | undefined }) {
  const waiting = rows.filter((row) => !row.skip_wait);
  const numbers = [...new Set(waiting.map((row) => row.seq))].sort((one, other) => one - other);
  const free = rows.filter((row) => row.skip_wait);
  return (
    <div class="lanes" role="group" aria-label="In which order the jobs run" tabIndex={0}>
      {numbers.length > 0 && (
        <ol class="stages">
          {numbers.map((seq, place) => (
            <li key={seq} class={place + 1 === at ? "now" : undefined}>
              <p class="head">
                {place === 0 ? "Start" : "Then"} <span class="faint">seq {seq}</span>
              </p>
              <Jobs of={waiting.filter((row) => row.seq === seq)} />
            </li>
          ))}
        </ol>
      )}
      {free.length > 0 && (
        <div class="free">
          <p class="head">
            From the start <span class="faint">nobody waits for these</span>
          </p>
          <Jobs of={free} />
        </div>
      )}
    </div>
  );
}

function Jobs({ of }: { of: readonly Lane[] }) {
  return (
    <ul>
      {of.map((row, place) => (
        <li key={`${row.job.kind}/${row.job.id}/${place}`} class={row.job.kind}>
          <span>{row.name || row.job.id || "…"}</span>
          <small>{plain(row.job.kind)}</small>
        </li>
      ))}
    </ul>
  );
}

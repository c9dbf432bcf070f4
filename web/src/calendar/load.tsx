import { useState } from "preact/hooks";

import { ofKinds, UNHURRIED_MS, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { count } from "../words";
import { whenIn } from "./days";

const CONCERNS = ofKinds("schedule", "group", "job");
const CELL = 16;
const LEFT = 34;
const TOP = 18;
const LEVELS = [1, 2, 3, 4, 5] as const;
const MINUTES = 60;
const HOURS = 24;

/** How many runs are open in each minute of the coming 24 hours, as the zone's clock shows them. */
export function Load({ workspace, zone }: { workspace: string; zone: string }) {
  const { data, problem, reload } = useView(
    "/v1/{workspace}/load",
    { workspace },
    {},
    CONCERNS,
    undefined,
    UNHURRIED_MS,
  );
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const grid = shifted(data.grid.flat(), offsetOf(zone, data.since));
  const most = Math.max(...grid);
  return (
    <section class="card" aria-labelledby="load">
      <h2 id="load">The next 24 hours, minute by minute</h2>
      {problem && <Trouble problem={problem} again={reload} />}
      {most === 0 ? (
        <Nothing title="Nothing is due in the next 24 hours" />
      ) : (
        <>
          <Heat grid={grid} most={most} />
          <ByHour grid={grid} />
        </>
      )}
      <p class="faint">
        From {whenIn(zone)(data.since)} on, by when what is active is due and how long its last runs took. Pauses, holds
        and blackouts are not looked at.
      </p>
    </section>
  );
}

function Heat({ grid, most }: { grid: readonly number[]; most: number }) {
  const [pointed, setPointed] = useState<number>();
  const busiest = grid.indexOf(most);
  const shown = pointed ?? busiest;
  const said = `${clock(shown)}: ${count(grid[shown]!, "run")}`;
  const move = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const width = LEFT + MINUTES * CELL;
    const minute = Math.floor((((event.clientX - box.left) / box.width) * width - LEFT) / CELL);
    const hour = Math.floor((((event.clientY - box.top) / box.height) * (TOP + HOURS * CELL) - TOP) / CELL);
    const isInside = minute >= 0 && minute < MINUTES && hour >= 0 && hour < HOURS;
    setPointed(isInside ? hour * MINUTES + minute : undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -MINUTES, ArrowDown: MINUTES };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setPointed((shown + step + grid.length) % grid.length);
  };
  return (
    <figure class="heat">
      <svg
        viewBox={`0 0 ${LEFT + MINUTES * CELL} ${TOP + HOURS * CELL}`}
        role="img"
        aria-label={`Runs in each minute of the day; the most, ${most}, at ${clock(busiest)}. The arrow keys move over it.`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerMove={move}
        onPointerLeave={() => setPointed(undefined)}
      >
        <g aria-hidden="true">
          {[0, 10, 20, 30, 40, 50].map((minute) => (
            <text key={minute} x={LEFT + minute * CELL} y={TOP - 6}>
              :{String(minute).padStart(2, "0")}
            </text>
          ))}
          {Array.from({ length: HOURS }, (_, hour) => (
            <text key={hour} x={0} y={TOP + hour * CELL + 12}>
              {String(hour).padStart(2, "0")}
            </text>
          ))}
          <path class="level-0" d={cells(grid.keys())} />
          {LEVELS.map((level) => (
            <path key={level} class={`level-${level}`} d={cells(ofLevel(grid, most, level))} />
          ))}
          <rect
            class="pointed"
            x={LEFT + (shown % MINUTES) * CELL - 0.5}
            y={TOP + Math.floor(shown / MINUTES) * CELL - 0.5}
            width={CELL - 1}
            height={CELL - 1}
            rx={3}
          />
        </g>
      </svg>
      <figcaption>
        <strong role="status">
          {pointed === undefined ? "Busiest at " : ""}
          {said}
        </strong>
        <span class="scale" aria-hidden="true">
          0
          <svg viewBox={`0 0 ${(LEVELS.length + 1) * CELL} ${CELL}`}>
            {[0, ...LEVELS].map((level) => (
              <path key={level} class={`level-${level}`} d={square(level * CELL, 0)} />
            ))}
          </svg>
          {most}
        </span>
      </figcaption>
    </figure>
  );
}

/** The same in words and numbers. */
function ByHour({ grid }: { grid: readonly number[] }) {
  const hours = Array.from({ length: HOURS }, (_, hour) => grid.slice(hour * MINUTES, (hour + 1) * MINUTES));
  return (
    <details>
      <summary>By the hour</summary>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Load by the hour">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Hour</th>
              <th scope="col">Most at once</th>
              <th scope="col">At</th>
              <th scope="col">Busy minutes</th>
            </tr>
          </thead>
          <tbody>
            {hours.map((minutes, hour) => {
              const most = Math.max(...minutes);
              return (
                <tr key={hour}>
                  <th scope="row">{clock(hour * MINUTES)}</th>
                  <td>{count(most, "run")}</td>
                  <td>{most > 0 ? clock(hour * MINUTES + minutes.indexOf(most)) : "–"}</td>
                  <td>{minutes.filter(Boolean).length}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function* ofLevel(grid: readonly number[], most: number, level: number): Generator<number> {
  for (const [minute, runs] of grid.entries()) {
    if (runs > 0 && Math.ceil((runs / most) * LEVELS.length) === level) yield minute;
  }
}

function cells(minutes: Iterable<number>): string {
  let path = "";
  for (const minute of minutes) {
    path += square(LEFT + (minute % MINUTES) * CELL, TOP + Math.floor(minute / MINUTES) * CELL);
  }
  return path;
}

const square = (x: number, y: number) => `M${x} ${y}h${CELL - 2}v${CELL - 2}h-${CELL - 2}z`;

/** Turns minutes of the day in UTC into those of a zone. */
function shifted(grid: readonly number[], offset: number): readonly number[] {
  const all = grid.length;
  return grid.map((_, minute) => grid[(((minute - offset) % all) + all) % all]!);
}

/** How many minutes a zone is ahead of UTC at an instant. */
function offsetOf(zone: string, at: string): number {
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  const local = Date.parse(`${text.format(new Date(at)).replace(" ", "T")}Z`);
  return Math.round((local - Date.parse(at)) / 60_000);
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / MINUTES)).padStart(2, "0")}:${String(minute % MINUTES).padStart(2, "0")}`;
}

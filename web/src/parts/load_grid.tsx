import "./load_grid.css";

import { useMemo, useState } from "preact/hooks";

import type { Schemas } from "../api/client";
import { count } from "../words";

type Load = Pick<Schemas["Load"], "grid" | "busiest" | "zone">;

const HOURS = 24;
const MINUTES = 60;
const LEVELS = 4;
/** A cell's width and height, and the room at the left for the hours and at the top for the minutes. */
const WIDE = 7;
const HIGH = 9;
const LEFT = 24;
const TOP = 13;

/**
 * How many runs are open in each minute of a day: hours from top to bottom, minutes from left to right. `marks` are
 * instants that stand out, such as those of what is being edited.
 */
export function LoadGrid({ load, marks = [] }: { load: Load; marks?: readonly string[] }) {
  const { grid, busiest, zone } = load;
  const [at, setAt] = useState<readonly [hour: number, minute: number]>();
  const most = Math.max(1, ...grid.flat());
  const levels = useMemo(() => drawn(grid, most), [grid]);
  const own = [...new Set(marks.map((mark) => new Date(mark).toISOString().slice(11, 16)))];

  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = (LEFT + MINUTES * WIDE) / box.width;
    const minute = Math.floor(((event.clientX - box.left) * scale - LEFT) / WIDE);
    const hour = Math.floor(((event.clientY - box.top) * scale - TOP) / HIGH);
    setAt(grid[hour]?.[minute] === undefined ? undefined : [hour, minute]);
  };

  return (
    <figure class="load">
      <svg
        viewBox={`0 0 ${LEFT + MINUTES * WIDE} ${TOP + HOURS * HIGH}`}
        role="img"
        aria-label={`Open runs in each minute of the day, ${zone}. ${said(busiest)}`}
        onPointerMove={point}
        onPointerLeave={() => setAt(undefined)}
      >
        {[0, 15, 30, 45].map((minute) => (
          <text key={minute} x={LEFT + minute * WIDE} y={TOP - 4}>
            :{String(minute).padStart(2, "0")}
          </text>
        ))}
        {[0, 6, 12, 18].map((hour) => (
          <text key={hour} class="hour" x={LEFT - 4} y={TOP + hour * HIGH + HIGH - 1.5}>
            {String(hour).padStart(2, "0")}
          </text>
        ))}
        <rect class="ground" x={LEFT} y={TOP} width={MINUTES * WIDE} height={HOURS * HIGH} rx={3} />
        <path class="quarters" d={QUARTERS} />
        {levels.map((path, level) => (
          <path key={level} class={`level-${level + 1}`} d={path} />
        ))}
        {own.map((time) => {
          const [hour = 0, minute = 0] = time.split(":").map(Number);
          return (
            <rect
              key={time}
              class="own"
              x={LEFT + minute * WIDE - 0.5}
              y={TOP + hour * HIGH - 0.5}
              width={WIDE}
              height={HIGH}
              rx={2}
            />
          );
        })}
      </svg>
      <figcaption>
        {at ? (
          <>
            {clockOf(at)} {zone}: {count(grid[at[0]]![at[1]]!, "open run")}
          </>
        ) : (
          <>
            {zone}. {said(busiest)}
          </>
        )}
        {own.length > 0 && <span class="legend">this one</span>}
      </figcaption>
    </figure>
  );
}

function said(busiest: Load["busiest"]): string {
  if (busiest.length === 0) return "Nothing else runs in the coming day.";
  const some = busiest.slice(0, 3).map(({ at, runs }) => `${at} (${runs})`);
  return `Most at once: ${some.join(", ")}.`;
}

function clockOf([hour, minute]: readonly [number, number]): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

/** One path for each level of load, as a day has 1,440 cells. */
function drawn(grid: Load["grid"], most: number): string[] {
  const paths = Array.from({ length: LEVELS }, () => "");
  grid.forEach((minutes, hour) =>
    minutes.forEach((runs, minute) => {
      if (runs === 0) return;
      const level = Math.min(LEVELS - 1, Math.ceil((runs / most) * LEVELS) - 1);
      paths[level] += `M${LEFT + minute * WIDE} ${TOP + hour * HIGH}h${WIDE - 1}v${HIGH - 1}h${1 - WIDE}z`;
    }),
  );
  return paths;
}

const QUARTERS = [15, 30, 45].map((minute) => `M${LEFT + minute * WIDE - 0.5} ${TOP}v${HOURS * HIGH}`).join("");

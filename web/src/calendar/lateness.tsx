import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Got } from "../api/client";
import { ofKinds, UNHURRIED_MS, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { go, to } from "../router";
import { count, seconds } from "../words";
import { type Day, dayIn, dayName, plusDays, weekday, whenIn } from "./days";
import { outcomeTone, outcomeWord } from "./entries";

const PATH = "/v1/{workspace}/lateness";
const CONCERNS = ofKinds("run");
const WORST = 10;
type Found = Got<typeof PATH>;
type Start = Found["items"][number];

interface Props {
  workspace: string;
  zone: string;
  /** The first day of the week. */
  since: Day;
  owner: string;
}

/** How long after its due moment each occurrence of a week started. */
export function Lateness({ workspace, zone, since, owner }: Props) {
  const window = { since: midnight(zone, since), until: midnight(zone, plusDays(since, 7)) };
  const asked = { ...window, owner: owner || undefined };
  const { data, problem, reload } = useView(PATH, { workspace }, asked, CONCERNS, undefined, UNHURRIED_MS);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  if (data.items.length === 0) {
    return (
      <>
        {problem && <Trouble problem={problem} again={reload} />}
        <Nothing title="Nothing that was due in this week has started">
          {owner
            ? `Only ${owner} is looked at.`
            : "How late starts were is shown as soon as something ran on time or late."}
        </Nothing>
      </>
    );
  }
  return (
    <section class="card" aria-labelledby="lateness">
      <h2 id="lateness">How late starts were</h2>
      {problem && <Trouble problem={problem} again={reload} />}
      <dl class="facts">
        <Fact name="Starts" value={`${data.is_cut ? "the last " : ""}${data.items.length.toLocaleString("en")}`} />
        <Fact name="Half within (p50)" value={seconds(data.p50_s!)} />
        <Fact name="99 of 100 within (p99)" value={seconds(data.p99_s!)} />
        <Fact name="The latest" value={seconds(data.max_s!)} />
      </dl>
      <Chart found={data} workspace={workspace} zone={zone} />
      <Tables found={data} workspace={workspace} zone={zone} since={since} />
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const HEIGHT = 300;
const EDGE = { left: 58, right: 12, top: 12, bottom: 26 };
const FLOOR_S = 0.01;
const TICKS = [0.01, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000];
const NEAR = 14;

function Chart({ found, workspace, zone }: { found: Found; workspace: string; zone: string }) {
  const [box, width] = useWidth();
  const [pointed, setPointed] = useState<Start>();
  const begin = Date.parse(found.since);
  const length = Date.parse(found.until) - begin;
  const highest = TICKS.find((tick) => tick >= Math.max(1, found.max_s!)) ?? found.max_s!;
  const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
  const x = (at: number) => EDGE.left + ((at - begin) / length) * inner.width;
  const y = (late: number) => {
    const share = Math.log(Math.max(late, FLOOR_S) / FLOOR_S) / Math.log(highest / FLOOR_S);
    return EDGE.top + (1 - share) * inner.height;
  };
  const when = whenIn(zone);
  const tones = [...new Set(found.items.map((one) => outcomeTone(one.outcome)))];
  const move = (event: PointerEvent) => {
    const { left, top } = (event.currentTarget as SVGElement).getBoundingClientRect();
    const [px, py] = [event.clientX - left, event.clientY - top];
    const distance = (one: Start) => Math.hypot(x(Date.parse(one.due)) - px, y(one.late_s) - py);
    const nearest = found.items.reduce((best, one) => (distance(one) < distance(best) ? one : best));
    setPointed(distance(nearest) <= NEAR ? nearest : undefined);
  };
  const days = Array.from({ length: 7 }, (_, day) => begin + (length * day) / 7);
  return (
    <figure class="lateness" ref={box}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`Lateness of ${count(found.items.length, "start")} over the week; half within ${seconds(found.p50_s!)}, 99 of 100 within ${seconds(found.p99_s!)}`}
        class={pointed ? "points" : ""}
        onPointerMove={move}
        onPointerLeave={() => setPointed(undefined)}
        onClick={() => pointed && go(to(workspace, "runs", pointed.run))}
      >
        {TICKS.filter((tick) => tick <= highest).map((tick) => (
          <g key={tick} class="tick">
            <path d={`M${EDGE.left} ${y(tick)}H${width - EDGE.right}`} />
            <text x={EDGE.left - 8} y={y(tick) + 4} text-anchor="end">
              {tickName(tick)}
            </text>
          </g>
        ))}
        {days.map((at) => (
          <g key={at} class="tick">
            <path d={`M${x(at)} ${EDGE.top}V${HEIGHT - EDGE.bottom}`} />
            <text x={x(at) + inner.width / 14} y={HEIGHT - 8} text-anchor="middle">
              {weekday(dayIn(zone, at + length / 14))}
            </text>
          </g>
        ))}
        {tones.map((tone) => (
          <path
            key={tone}
            class={`dots tone-${tone}`}
            d={found.items
              .filter((one) => outcomeTone(one.outcome) === tone)
              .map((one) => `M${x(Date.parse(one.due)).toFixed(1)} ${y(one.late_s).toFixed(1)}h.01`)
              .join("")}
          />
        ))}
        <Level at={y(found.p50_s!)} name="p50" width={width} />
        {found.p99_s! > found.p50_s! * 1.3 && <Level at={y(found.p99_s!)} name="p99" width={width} />}
        {pointed && <circle class="pointed" cx={x(Date.parse(pointed.due))} cy={y(pointed.late_s)} r={6} />}
      </svg>
      <figcaption>
        {pointed
          ? `${pointed.owner.id}, due ${when(pointed.due)}: started ${seconds(pointed.late_s)} later, ${outcomeWord(pointed.outcome)}`
          : "Each mark is a start: when it was due, and how much later it began, on a logarithmic scale."}
      </figcaption>
    </figure>
  );
}

function Level({ at, name, width }: { at: number; name: string; width: number }) {
  return (
    <g class="usual">
      <path d={`M${EDGE.left} ${at}H${width - EDGE.right}`} />
      <text x={width - EDGE.right - 4} y={at - 5} text-anchor="end">
        {name}
      </text>
    </g>
  );
}

/** The same in words and numbers: each day, and the latest starts with their runs. */
function Tables({ found, workspace, zone, since }: Omit<Props, "owner"> & { found: Found }) {
  const days = Array.from({ length: 7 }, (_, place) => plusDays(since, place));
  const worst = [...found.items].sort((one, other) => other.late_s - one.late_s).slice(0, WORST);
  const when = whenIn(zone);
  return (
    <details>
      <summary>As tables</summary>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Lateness as tables">
        <table class="plain" aria-label="By the day">
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Starts</th>
              <th scope="col">p50</th>
              <th scope="col">p99</th>
              <th scope="col">The latest</th>
            </tr>
          </thead>
          <tbody>
            {days.map((day) => {
              const late = found.items
                .filter((one) => dayIn(zone, one.due) === day)
                .map((one) => one.late_s)
                .sort((one, other) => one - other);
              return (
                <tr key={day}>
                  <th scope="row">{dayName(day)}</th>
                  <td>{late.length.toLocaleString("en")}</td>
                  {[0.5, 0.99, 1].map((share) => (
                    <td key={share}>{late.length ? seconds(late[Math.ceil(share * late.length) - 1]!) : "–"}</td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
        <table class="plain" aria-label="The latest starts">
          <thead>
            <tr>
              <th scope="col">The latest starts</th>
              <th scope="col">Due</th>
              <th scope="col">Late by</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {worst.map((one) => (
              <tr key={one.run}>
                <th scope="row">
                  <a href={to(workspace, "runs", one.run)}>{one.owner.id}</a>
                </th>
                <td>{when(one.due)}</td>
                <td>{seconds(one.late_s)}</td>
                <td>{outcomeWord(one.outcome)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function tickName(tick: number): string {
  if (tick < 1) return `${tick * 1000} ms`;
  if (tick < 60) return `${tick} s`;
  return tick < 3600 ? `${tick / 60} min` : `${tick / 3600} h`;
}

/** How wide a chart may be, also after the window was made smaller. */
function useWidth(): [preact.RefObject<HTMLElement | null>, number] {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  return [box, Math.max(width, 240)];
}

/** Returns when a day of a zone begins. */
function midnight(zone: string, day: Day): string {
  const guess = Date.parse(`${day}T00:00:00Z`);
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  const ahead = (at: number) => Date.parse(`${text.format(at).replace(" ", "T")}Z`) - at;
  return new Date(guess - ahead(guess - ahead(guess))).toISOString();
}

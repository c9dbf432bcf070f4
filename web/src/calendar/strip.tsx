import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { read, type Schemas } from "../api/client";
import { to } from "../router";
import { asOf } from "../time/moment";
import { plain, short } from "../words";
import { OUTCOMES, outcomeTone, outcomeWord } from "./entries";

type Mark = Schemas["Mark"];

const GATHER_MS = 60;
const PART = 100;
const KEPT_MAX = 5000;
const SHOWN = 50;
const STEP = 3;
const HEIGHT = 14;

const strips = signal<ReadonlyMap<string, readonly Mark[]>>(new Map());
const wanted = new Map<string, Set<string>>();
let timer = 0;

/** Has the strip of an owner read, with those of all others that are wanted at the same time. */
function want(workspace: string, moment: string, owner: string): void {
  const where = `${workspace}@${moment}`;
  wanted.set(where, (wanted.get(where) ?? new Set()).add(owner));
  timer ||= window.setTimeout(readWanted, GATHER_MS);
}

async function readWanted(): Promise<void> {
  const all = [...wanted].map(([where, owners]) => [where, [...owners]] as const);
  wanted.clear();
  timer = 0;
  for (const [where, owners] of all) {
    const [workspace = "", as_of] = where.split("@", 2);
    for (let first = 0; first < owners.length; first += PART) {
      const part = owners.slice(first, first + PART).join(",");
      const found = await read("/v1/{workspace}/strips", { workspace }, { owners: part, as_of }).catch(() => undefined);
      if (found) keep(where, found.items);
    }
  }
}

function keep(where: string, items: readonly Schemas["Strip"][]): void {
  const next = new Map(strips.value.size > KEPT_MAX ? [] : strips.value);
  for (const { owner, marks } of items) next.set(`${where}/${owner.kind}/${owner.id}`, marks);
  strips.value = next;
}

interface Row {
  id: string;
  last_run?: { id: string; state: string } | null;
  open_run?: { id: string } | null;
}

/**
 * The last 50 occurrences of a schedule, a group or a Connect job as small marks; where they lead, each is told. They
 * are read again when the row's runs or its next moment are others.
 */
export function Strip(props: { workspace: string; kind: string; row: Row; next: string | null | undefined }) {
  const { workspace, kind, row, next } = props;
  const stamp = [row.last_run?.id, row.last_run?.state, row.open_run?.id, next].join();
  const moment = asOf.value;
  useEffect(() => want(workspace, moment, `${kind}/${row.id}`), [workspace, moment, kind, row.id, stamp]);
  const marks = strips.value.get(`${workspace}@${moment}/${kind}/${row.id}`);
  if (!marks?.length) return null;

  const begin = (SHOWN - marks.length) * STEP;
  const tones = [...new Set(marks.map((one) => outcomeTone(one.outcome)))];
  const point = (event: PointerEvent) => {
    const target = event.currentTarget as HTMLElement;
    const box = target.getBoundingClientRect();
    const mark = marks[Math.floor((((event.clientX - box.left) / box.width) * SHOWN * STEP - begin) / STEP)];
    target.title = mark ? told(mark) : summary(marks);
  };
  return (
    <a
      class="strip"
      href={to(workspace, "calendar", "", { owner: `${kind}/${row.id}` })}
      aria-label={`${row.id}: ${summary(marks)}. Show its calendar`}
      onPointerMove={point}
    >
      <svg viewBox={`0 0 ${SHOWN * STEP} ${HEIGHT}`} width={SHOWN * STEP} height={HEIGHT} aria-hidden="true">
        {tones.map((tone) => (
          <path key={tone} class={`tone-${tone}`} d={bars(marks, tone, begin)} />
        ))}
      </svg>
    </a>
  );
}

/** What went well is low, what asks for somebody is high: the colour alone says nothing. */
const HEIGHTS: Record<string, number> = { good: 8, busy: 8, calm: 4, warn: 11, bad: HEIGHT };

function bars(marks: readonly Mark[], tone: string, begin: number): string {
  const height = HEIGHTS[tone] ?? HEIGHT;
  return marks
    .map((mark, place) =>
      outcomeTone(mark.outcome) === tone
        ? `M${begin + place * STEP} ${HEIGHT - height}h${STEP - 1}v${height}h-${STEP - 1}z`
        : "",
    )
    .join("");
}

function told(mark: Mark): string {
  const word =
    mark.count > 1 ? `${mark.count.toLocaleString("en")} ${outcomeWord(mark.outcome)}` : outcomeWord(mark.outcome);
  return [`${short(mark.due)}: ${word}`, mark.reason && plain(mark.reason)].filter(Boolean).join(", ");
}

function summary(marks: readonly Mark[]): string {
  const counts = OUTCOMES.map(([id, label]) => {
    const of = marks.filter((one) => one.outcome === id).reduce((sum, one) => sum + one.count, 0);
    return of ? `${of.toLocaleString("en")} ${label.toLowerCase()}` : "";
  });
  return `the last occurrences: ${counts.filter(Boolean).join(", ")}`;
}

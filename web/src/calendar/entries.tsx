import { whyAddress } from "../actions/why";
import { toneOf } from "../parts/basics";
import { to } from "../router";
import { plain } from "../words";
import type { Entry, Slot } from "./days";

export const OUTCOMES = [
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["aborted", "Stopped"],
  ["running", "Running"],
  ["skipped", "Skipped"],
  ["missed", "Missed"],
  ["waiting", "Waiting"],
  ["coming", "Coming"],
] as const;
const WORDS: Record<string, string> = Object.fromEntries(OUTCOMES.map(([id, label]) => [id, label.toLowerCase()]));
/** What has no run: where it leads is told why. */
const WITHOUT_RUN: readonly string[] = ["skipped", "missed", "waiting", "coming"];
const ABOUT_TO: Record<string, string> = { coming: "will be skipped" };

export const outcomeWord = (outcome: string) => WORDS[outcome] ?? plain(outcome);

/** The colour of an outcome. */
export function outcomeTone(outcome: string): string {
  if (outcome === "coming") return "mark";
  return outcome === "missed" ? "bad" : toneOf(outcome);
}

/** Where an owner is found. */
function ownerAddress(workspace: string, { kind, id }: { kind: string; id: string }): string {
  if (kind === "schedule" || kind === "service" || kind === "flow") return to(workspace, "jobs", "", { q: id });
  return to(workspace, "connect", "", { tab: kind === "group" ? "groups" : "all", q: id });
}

function entryAddress(workspace: string, { owner, outcome, due, run }: Entry): string {
  if (run) return to(workspace, "runs", run);
  return WITHOUT_RUN.includes(outcome) ? whyAddress(owner, due) : ownerAddress(workspace, owner);
}

/** What one owner has of one outcome in a slot: it leads to its run, to why there is none, or, of several, to who it is. */
export function EntryLink({
  workspace,
  entry,
  time,
}: {
  workspace: string;
  entry: Entry;
  time: (at: string) => string;
}) {
  const { owner, outcome, count, reason } = entry;
  const word = reason ? `${ABOUT_TO[outcome] ?? outcomeWord(outcome)}: ${plain(reason)}` : outcomeWord(outcome);
  const times = count.toLocaleString("en");
  const many = count > 1 ? `${times} times until ${time(entry.last)}, ` : "";
  const said = `${time(entry.due)} ${owner.id}, ${many}${word}`;
  return (
    <a
      class={`entry ${outcomeTone(outcome)} ${reason && outcome === "coming" ? "off" : ""}`}
      href={entryAddress(workspace, entry)}
      title={said}
      aria-label={said}
    >
      <time dateTime={entry.due}>{time(entry.due)}</time>
      <span class="owner">{owner.id}</span>
      {count > 1 && <span class="times">×{times}</span>}
    </a>
  );
}

/** How many had which outcome; the number's colour is said in words as well. */
export function Tallies({ counts, big = false }: { counts: Record<string, number>; big?: boolean }) {
  const shown = OUTCOMES.filter(([id]) => counts[id]);
  if (shown.length === 0) return null;
  return (
    <ul class={big ? "tallies big" : "tallies"} aria-label={big ? "Outcomes in this time" : undefined}>
      {shown.map(([id, label]) => (
        <li key={id} class={outcomeTone(id)} title={`${counts[id]!.toLocaleString("en")} ${label.toLowerCase()}`}>
          {counts[id]!.toLocaleString("en")} <span class={big ? "" : "unseen"}>{label.toLowerCase()}</span>
        </li>
      ))}
    </ul>
  );
}

export function Blackouts({ slot }: { slot: Slot }) {
  const names = [...new Set(slot.blackouts.map((one) => one.note || one.calendar))];
  return names.map((name) => (
    <p key={name} class="blackout" title={`Blackout: ${name}`}>
      <span class="unseen">Blackout: </span>
      {name}
    </p>
  ));
}

/** How many moments of a slot are not among its entries. */
export function left(slot: Slot): number {
  const all = Object.values(slot.counts).reduce((sum, count) => sum + count, 0);
  return all - slot.items.reduce((sum, entry) => sum + entry.count, 0);
}

export function sum(slots: readonly Slot[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const slot of slots) {
    for (const [outcome, count] of Object.entries(slot.counts)) counts[outcome] = (counts[outcome] ?? 0) + count;
  }
  return counts;
}

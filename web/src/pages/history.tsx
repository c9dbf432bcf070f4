import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Got, type Problem, read } from "../api/client";
import { listen } from "../live/stream";
import { Reading } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { place, setQuery } from "../router";
import { hasRole, HISTORIANS } from "../session";
import { type Event, EventList } from "./events";

const WANTED = 50;
/** How many positions are looked at, at first. */
const PART = 200;
const WIDER = 4;
const SHOWN_MAX = 500;

interface Found {
  events: readonly Event[];
  /** Everything up to this position was looked at … */
  head: number;
  /** … from after this one on. */
  back: number;
}

interface Filters {
  stream: string;
  types: string;
  actor: string;
}

/** The history of the workspace, the newest first: every fact as a sentence and as it is recorded. */
export function History() {
  const { workspace, query } = place.value;
  const filters = {
    stream: query.get("stream") ?? "",
    types: query.get("types") ?? "",
    actor: query.get("actor") ?? "",
  };
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<Problem>();
  const asking = useRef(new AbortController());
  const isShown = hasRole(...HISTORIANS);

  useEffect(() => {
    if (!isShown) return;
    const older = (asking.current = new AbortController());
    let head = 0;
    const reading = new Reading(async (heard, signal) => {
      const get = asker(workspace, filters, signal);
      const { as_of } = await get({ after: Number.MAX_SAFE_INTEGER, limit: 1, wait_for: heard });
      const newest = await lookBack(get, as_of.position, head);
      head = newest.head;
      setFound((before) => joined(newest, before));
      setProblem(undefined);
    }, setProblem);
    setFound(undefined);
    void reading.look();
    const unlisten = listen(({ type, position }) => type !== "progress" && reading.hear(position));
    return () => {
      older.abort();
      reading.stop();
      unlisten();
    };
  }, [JSON.stringify([workspace, filters, isShown])]);

  if (!isShown) {
    return (
      <>
        <h1>History</h1>
        <Nothing title="Your key does not show the history">
          It needs the role auditor or administrator in this workspace.
        </Nothing>
      </>
    );
  }
  const more = async ({ back }: Found) => {
    const { signal } = asking.current;
    try {
      const older = await lookBack(asker(workspace, filters, signal), back, 0);
      setFound((now) =>
        now?.back === back ? { ...older, events: [...now.events, ...older.events], head: now.head } : now,
      );
    } catch (error) {
      if (!signal.aborted) setProblem(asProblem(error));
    }
  };
  return (
    <>
      <div class="title">
        <h1>History</h1>
        <div class="toolbar">
          <Filter name="stream" label="Stream" hint="schedule:nightly" />
          <Filter name="types" label="Types" hint="run.opened,run.ended" />
          <Filter name="actor" label="Actor" hint="key:admin" />
        </div>
      </div>
      {problem && <Trouble problem={problem} />}
      {!found && !problem && <Loading />}
      {found && found.events.length === 0 && <Nothing title="Nothing here matches" />}
      {found && (
        <div class="card">
          <EventList workspace={workspace} events={found.events} />
          {found.back > 0 && (
            <p class="more">
              <button type="button" onClick={() => more(found)}>
                Show older ones
              </button>
            </p>
          )}
        </div>
      )}
    </>
  );
}

function Filter({ name, label, hint }: { name: string; label: string; hint: string }) {
  const given = place.value.query.get(name) ?? "";
  return (
    <label class="choice">
      <span class="unseen">{label}</span>
      <input
        key={given}
        defaultValue={given}
        placeholder={`${label}, e.g. ${hint}`}
        maxLength={200}
        onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
}

/**
 * Puts what is newest before what was shown already, unless there is a gap between them. What joins by itself pushes the
 * oldest out.
 */
function joined(newest: Found, before: Found | undefined): Found {
  if (!before || newest.back > before.head) return newest;
  const most = Math.max(SHOWN_MAX, before.events.length);
  return cut({ ...newest, events: [...newest.events, ...before.events], back: before.back }, most);
}

function cut(found: Found, most: number): Found {
  if (found.events.length <= most) return found;
  const events = found.events.slice(0, most);
  return { ...found, events, back: events.at(-1)!.position - 1 };
}

type Query = { after: number; limit: number; before?: number; wait_for?: number; sentences?: boolean };
type Get = (query: Query) => Promise<Got<"/v1/{workspace}/events">>;

function asker(workspace: string, { stream, ...others }: Filters, signal: AbortSignal): Get {
  const path = stream ? "/v1/{workspace}/streams/{stream}/events" : "/v1/{workspace}/events";
  return (query) => read(path, { workspace, stream }, { ...others, ...query }, signal);
}

/**
 * Finds the last facts up to a position and after another. A history is read forwards, and positions of other workspaces
 * are left out, so it is read from further and further back until there are enough, and from less far where there are
 * more than one answer holds.
 */
async function lookBack(get: Get, head: number, downTo: number): Promise<Found> {
  let events: readonly Event[] = [];
  let back = head;
  let span = PART;
  while (events.length < WANTED && back > downTo) {
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
  return cut({ events, head, back }, WANTED);
}

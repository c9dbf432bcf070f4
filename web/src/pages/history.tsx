import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Problem, read } from "../api/client";
import { era } from "../live/stream";
import { listenUnless, Reading } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { place, setQuery } from "../router";
import { hasRole, HISTORIANS, me } from "../session";
import { localTime } from "../time/bar";
import { asOf } from "../time/moment";
import { Chain } from "./chain";
import { EventList } from "./events";
import { cut, type Found, type Get, lookBack } from "./look_back";
import "./history.css";

const WANTED = 50;
const SHOWN_MAX = 500;
const EVERYWHERE = "*";

/** What stands in the address: which facts, and between which instants; `position` is the newest that is wanted. */
interface Filters {
  where: string;
  stream: string;
  types: string;
  actor: string;
  since: string;
  until: string;
  position: string;
}
const NAMES = ["where", "stream", "types", "actor", "since", "until", "position"] as const;

/** The history of the workspace, the newest first: every fact as a sentence and as it is recorded. */
export function History() {
  if (hasRole(...HISTORIANS)) return <Facts />;
  return (
    <>
      <h1>History</h1>
      <Nothing title="Your key does not show the history">
        It needs the role auditor or administrator in this workspace.
      </Nothing>
    </>
  );
}

function Facts() {
  const { workspace, query } = place.value;
  const filters = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])) as unknown as Filters;
  const past = asOf.value;
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<Problem>();
  const [types, setTypes] = useState<readonly string[]>([]);
  const asking = useRef({ stop: new AbortController(), downTo: 0 });

  useEffect(() => {
    const older = (asking.current = { stop: new AbortController(), downTo: 0 });
    let head = 0;
    const reading = new Reading(async (heard, signal) => {
      const get = asker(workspace, filters, signal);
      const ends = await endsOf(get, filters, past, heard);
      older.downTo = ends.after;
      const newest = await lookBack(get, ends.upTo, Math.max(head, ends.after), WANTED);
      if (signal.aborted) return;
      head = newest.head;
      setFound((before) => joined(newest, before));
      setProblem(undefined);
    }, setProblem);
    setFound(undefined);
    setProblem(undefined);
    void reading.look();
    const isClosed = past || filters.position || (filters.until && Date.parse(filters.until) < Date.now());
    const unlisten = listenUnless(
      isClosed ? "closed" : "",
      ({ type, position }) => type !== "progress" && reading.hear(position),
    );
    return () => {
      older.stop.abort();
      reading.stop();
      unlisten();
    };
  }, [JSON.stringify([workspace, filters, past, era.value])]);

  const more = async ({ back }: Found) => {
    const { stop, downTo } = asking.current;
    try {
      const older = await lookBack(asker(workspace, filters, stop.signal), back, downTo, WANTED);
      setFound((now) =>
        now?.back === back ? { ...older, events: [...now.events, ...older.events], head: now.head } : now,
      );
    } catch (error) {
      if (!stop.signal.aborted) setProblem(asProblem(error));
    }
  };
  return (
    <>
      <div class="title">
        <h1>History</h1>
      </div>
      <Chain workspace={workspace} told={setTypes} />
      <Filtering filters={filters} types={types} found={found} />
      {problem && <Trouble problem={problem} />}
      {!found && !problem && <Loading />}
      {found && found.events.length === 0 && <Nothing title="Nothing here matches" />}
      {found && (
        <div class="card">
          <EventList workspace={workspace} events={found.events} marked={Number(filters.position)} />
          {found.back > asking.current.downTo && (
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

function Filtering(props: { filters: Filters; types: readonly string[]; found: Found | undefined }) {
  const { filters } = props;
  const isFiltered = NAMES.some((name) => filters[name] !== "");
  const actors = [...new Set(props.found?.events.map((event) => event.actor))].sort();
  return (
    <div class="which" role="search" aria-label="Which facts">
      {me.value?.workspaces.includes(EVERYWHERE) && (
        <label>
          Workspace
          <select
            value={filters.where}
            onChange={(event) => setQuery({ where: event.currentTarget.value, stream: "" })}
          >
            <option value="">This one</option>
            <option value="all">All, and the deployment</option>
          </select>
        </label>
      )}
      {!filters.where && <Filter name="stream" label="Owner or stream" hint="schedule:nightly" />}
      <Filter name="types" label="Event type" hint="run.opened, run.ended" options={props.types} />
      <Filter name="actor" label="Actor" hint="key:admin" options={actors} />
      <Instant name="since" label="From (your time)" value={filters.since} />
      <Instant name="until" label="To (your time)" value={filters.until} />
      {filters.position && (
        <p>
          From position {Number(filters.position).toLocaleString("en")} back.{" "}
          <button type="button" onClick={() => setQuery({ position: "" })}>
            Show the newest
          </button>
        </p>
      )}
      {isFiltered && (
        <button
          type="button"
          class="quiet"
          onClick={() => setQuery(Object.fromEntries(NAMES.map((name) => [name, ""])))}
        >
          Clear
        </button>
      )}
    </div>
  );
}

function Filter(props: { name: string; label: string; hint: string; options?: readonly string[] }) {
  const { name, options } = props;
  const given = place.value.query.get(name) ?? "";
  return (
    <label>
      {props.label}
      <input
        key={given}
        defaultValue={given}
        placeholder={props.hint}
        maxLength={1000}
        list={options && `known-${name}`}
        autocomplete="off"
        onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim() })}
      />
      {options && (
        <datalist id={`known-${name}`}>
          {options.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  );
}

function Instant({ name, label, value }: { name: string; label: string; value: string }) {
  const at = Date.parse(value);
  return (
    <label>
      {label}
      <input
        type="datetime-local"
        step="1"
        value={Number.isNaN(at) ? "" : localTime(at)}
        onChange={({ currentTarget: { value: local } }) =>
          setQuery({ [name]: local && new Date(local).toISOString().replace(".000Z", "Z") })
        }
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

function asker(workspace: string, { where, stream, types, actor }: Filters, signal: AbortSignal): Get {
  const path = where ? "/v1/log/events" : stream ? "/v1/{workspace}/streams/{stream}/events" : "/v1/{workspace}/events";
  const parts = { workspace, stream: stream.replace("/", ":") };
  return (query) => read(path, parts, { types, actor, ...query }, signal);
}

/** After which position facts are wanted, and up to which. */
async function endsOf(get: Get, filters: Filters, past: string, heard: number) {
  const at = async (as_of: string) =>
    (await get({ after: Number.MAX_SAFE_INTEGER, limit: 1, ...(as_of ? { as_of } : { wait_for: heard }) })).as_of
      .position;
  const ends = [await at(past)];
  if (filters.until && Date.parse(filters.until) < Date.now()) ends.push(await at(filters.until));
  if (filters.position) ends.push(Number(filters.position));
  const upTo = Math.min(...ends);
  if (!filters.since) return { after: 0, upTo };
  const since = new Date(Date.parse(filters.since) - 1).toISOString();
  return { after: Date.parse(since) < Date.now() ? Math.min(upTo, await at(since)) : upTo, upTo };
}

import { useEffect, useRef, useState } from "preact/hooks";

import { whyAddress } from "../actions/why";
import { read } from "../api/client";
import { OWN_ZONE } from "../forms/fields";
import { ofKinds, UNHURRIED_MS, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { Tabs } from "../parts/tabs";
import { Choice } from "../pages/toolbar";
import { place, setQuery, to } from "../router";
import { pastAt } from "../time/moment";
import { now, plain } from "../words";
import {
  clockIn,
  type Day,
  dayIn,
  dayName,
  isDay,
  isZone,
  rangeOf,
  titleOf,
  turned,
  type ViewName,
  whenIn,
} from "./days";
import { OUTCOMES, outcomeWord, sum, Tallies } from "./entries";
import { DayList, type GridProps, Month, Week } from "./grids";
import { Lateness } from "./lateness";
import { Load } from "./load";
import { Subscribe } from "./subscribe";

const PATH = "/v1/{workspace}/calendar-page";
const CONCERNS = ofKinds("schedule", "group", "job", "run", "calendar");
const VIEWS = [
  { id: "month", label: "Month" },
  { id: "week", label: "Week" },
  { id: "day", label: "Day" },
  { id: "load", label: "Load" },
  { id: "lateness", label: "Lateness" },
];
const LEFT_OUT = {
  spans:
    "There are more answers for many moments at once than are told here. Choose an owner or fewer days to see them.",
  blackouts: "There are more blackouts than are shown here. Choose fewer days to see them.",
};
const EACH: Record<ViewName, number> = { month: 5, week: 4, day: 200 };

interface Shown {
  view: ViewName;
  day: Day;
  today: Day;
  zone: string;
}

/** The Calendar page: what became of each moment, what comes, how busy a day is, and how late starts are. */
export function Calendar() {
  const { workspace, query } = place.value;
  const tab = VIEWS.find((one) => one.id === query.get("view"))?.id ?? "month";
  const zone = isZone(query.get("zone")) ? query.get("zone")! : OWN_ZONE;
  const today = dayIn(zone, pastAt.value ?? now.value);
  const asked = query.get("day");
  const day = isDay(asked) ? asked : today;
  const view = tab === "day" || tab === "month" ? tab : "week";
  const owner = query.get("owner") ?? "";

  return (
    <>
      <div class="title">
        <h1>Calendar</h1>
        <div class="toolbar">
          <OwnerFilter key={owner} workspace={workspace} given={owner} />
          {tab !== "load" && tab !== "lateness" && (
            <Choice name="outcome" label="Outcome" options={[["", "Any outcome"], ...OUTCOMES]} />
          )}
          <ZoneChoice zone={zone} />
          <Subscribe workspace={workspace} owner={owner} />
        </div>
      </div>
      <Tabs label="Calendar" tabs={VIEWS} chosen={tab} choose={(chosen) => setQuery({ view: chosen })}>
        {tab === "load" ? (
          <Load workspace={workspace} zone={zone} />
        ) : (
          <Turning key={tab} view={view} day={day} today={today}>
            {tab === "lateness" ? (
              <Lateness workspace={workspace} zone={zone} since={rangeOf("week", day).since} owner={owner} />
            ) : (
              <Days view={view} day={day} today={today} zone={zone} />
            )}
          </Turning>
        )}
      </Tabs>
    </>
  );
}

/** What turns the pages: with buttons, and from within also with PageUp, PageDown, Home and the arrow keys. */
function Turning(props: Omit<Shown, "zone"> & { children: preact.ComponentChildren }) {
  const { view, day, today } = props;
  const whole = useRef<HTMLDivElement>(null);
  const turn = (pages: number) => setQuery({ day: turned(view, day, pages) });
  const reset = () => setQuery({ day: "" });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
    const days = [...whole.current!.querySelectorAll<HTMLElement>("[data-day]")];
    const from = days.indexOf(event.target as HTMLElement);
    const step = from < 0 ? undefined : steps[event.key];
    if (event.key === "PageUp") turn(-1);
    else if (event.key === "PageDown") turn(1);
    else if (event.key === "Home") reset();
    else if (step !== undefined) days[from + step]?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <div ref={whole} onKeyDown={onKeyDown}>
      <div class="turning">
        <div class="deeds">
          <button
            type="button"
            class="square"
            aria-label="Previous"
            aria-keyshortcuts="PageUp"
            onClick={() => turn(-1)}
          >
            <Icon name="left" />
          </button>
          <button
            type="button"
            aria-keyshortcuts="Home"
            onClick={reset}
            aria-current={day === today ? "date" : undefined}
          >
            Today
          </button>
          <button type="button" class="square" aria-label="Next" aria-keyshortcuts="PageDown" onClick={() => turn(1)}>
            <Icon name="right" />
          </button>
        </div>
        <h2 aria-live="polite">{titleOf(view, day)}</h2>
      </div>
      {props.children}
    </div>
  );
}

function Days({ view, day, today, zone }: Shown) {
  const { workspace, query } = place.value;
  const outcome = OUTCOMES.find(([id]) => id === query.get("outcome"))?.[0];
  const owner = query.get("owner") || undefined;
  const by = view === "month" ? "day" : "hour";
  const asked = { ...rangeOf(view, day), by, zone, outcome, owner, each: EACH[view] } as const;
  const { data, problem, reload } = useView(PATH, { workspace }, asked, CONCERNS, undefined, UNHURRIED_MS);
  const [since, of] = [rangeOf(view, day).since, `${by}/${zone}`];
  const isOld =
    data && (data.slots[0]?.local.slice(0, 10) !== since || `${slotLength(data.slots)}/${data.zone}` !== of);

  if (!data || (isOld && !problem)) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const dayAddress = (name: Day) =>
    to(workspace, "calendar", "", { ...Object.fromEntries(query), view: "day", day: name });
  const grid: GridProps = { workspace, slots: data.slots, today, day, time: clockIn(zone), dayAddress };
  const counts = sum(data.slots);
  const isEmpty = Object.keys(counts).length === 0 && data.slots.every((slot) => slot.blackouts.length === 0);
  const when = whenIn(zone);
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      <Tallies counts={counts} big />
      {data.coming_until && (
        <p class="notice">
          <Icon name="warn" />
          What comes is shown until {when(data.coming_until)}: there is more than can be looked at. Choose an owner to
          see further ahead.
        </p>
      )}
      {data.left_out.map((name) => (
        <p key={name} class="notice">
          <Icon name="warn" />
          {LEFT_OUT[name]}
        </p>
      ))}
      {data.spans.map((span) => (
        <p key={`${span.owner.id}/${span.due}`} class="notice">
          <Icon name="warn" />
          <span>
            <a href={whyAddress(span.owner, span.due)}>{span.owner.id}</a>: {span.count.toLocaleString("en")} moments
            from {when(span.due)} to {when(span.last)} {outcomeWord(span.outcome)}
            {span.reason && `: ${plain(span.reason)}`}
          </span>
        </p>
      ))}
      {isEmpty && view === "day" ? (
        <Nothing title={`Nothing on ${dayName(day)}`}>
          {owner || outcome ? "Nothing here matches the filters." : "What is due on this day stands here."}
        </Nothing>
      ) : view === "month" ? (
        <Month {...grid} />
      ) : view === "week" ? (
        <Week {...grid} />
      ) : (
        <DayList {...grid} />
      )}
    </>
  );
}

const HOUR_S = 3600;

function slotLength([first]: readonly { at: string; until: string }[]): string {
  return first && (Date.parse(first.until) - Date.parse(first.at)) / 1000 > 2 * HOUR_S ? "day" : "hour";
}

/** In which zone days begin and clocks are shown. */
function ZoneChoice({ zone }: { zone: string }) {
  const names = [...new Set([OWN_ZONE, zone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return (
    <label class="choice">
      <span class="unseen">Time zone</span>
      <select
        value={zone}
        onChange={({ currentTarget: { value } }) => setQuery({ zone: value === OWN_ZONE ? "" : value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {name.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}

const TYPING_MS = 250;
const KINDS = ["schedule", "group", "job"];

/** Whose moments are shown; what is typed is searched for. */
function OwnerFilter({ workspace, given }: { workspace: string; given: string }) {
  const [text, setText] = useState(given);
  const [found, setFound] = useState<readonly { owner: string; text: string }[]>([]);
  const wanted = text.includes("/") ? "" : text.trim();

  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    const look = async () => {
      const { items } = await read("/v1/{workspace}/search", { workspace }, { q: wanted, limit: 20 }, stop.signal);
      const owners = items.filter((one) => KINDS.includes(one.kind));
      setFound(owners.map((one) => ({ owner: `${one.kind}/${one.id}`, text: one.text })));
    };
    const timer = setTimeout(() => look().catch(() => setFound([])), TYPING_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [workspace, wanted]);

  const choose = async (value: string) => {
    const owner = await named(workspace, value.includes("/") ? value.trim() : (found[0]?.owner ?? value.trim()));
    if (owner !== given) setQuery({ owner });
  };
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">Owner</span>
      <input
        type="search"
        list="owners"
        value={text}
        placeholder="Any owner"
        maxLength={100}
        onInput={({ currentTarget: { value } }) => {
          setText(value);
          if (value === "" || found.some((one) => one.owner === value)) void choose(value);
        }}
        onChange={(event) => void choose(event.currentTarget.value)}
      />
      <datalist id="owners">
        {found.map((one) => (
          <option key={one.owner} value={one.owner}>
            {one.text}
          </option>
        ))}
      </datalist>
    </label>
  );
}

/** A job's runs go by which of the kinds it is. */
async function named(workspace: string, owner: string): Promise<string> {
  if (!owner.startsWith("job/")) return owner;
  const id = owner.slice(4);
  const job = await read("/v1/{workspace}/jobs/{id}", { workspace, id }).catch(() => undefined);
  return job ? `${job.kind}/${id}` : owner;
}

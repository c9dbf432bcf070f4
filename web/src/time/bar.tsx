import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, read } from "../api/client";
import { ofKinds, useView } from "../live/view";
import { lookBack } from "../pages/look_back";
import { Icon } from "../parts/icons";
import { say } from "../parts/toast";
import { place } from "../router";
import { hasRole, HISTORIANS } from "../session";
import { clock, exact, exactUtc, present, short } from "../words";
import { asOf, lookAt, moment, pastAt, tell } from "./moment";
import "./time.css";

const WORKSPACE = "/v1/{workspace}";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS = [
  ["day", DAY_MS],
  ["hour", HOUR_MS],
  ["minute", MINUTE_MS],
] as const;
const DRAGGING_MS = 150;
const MARKS = 4;

const isOpen = signal(false);

/** Opens and closes the slider; in the past it is open. */
export function TimeSwitch() {
  const isShown = isOpen.value || asOf.value !== "";
  const said = isShown ? "Close the time slider" : "Look at the past";
  return (
    <button
      type="button"
      class="quiet square"
      aria-label={said}
      aria-expanded={isShown}
      title={said}
      onClick={() => {
        isOpen.value = !isShown;
        if (isShown) lookAt(undefined);
      }}
    >
      <Icon name="clock" />
    </button>
  );
}

/** Says plainly that what is shown is past, and leads back. */
export function PastBanner() {
  if (!asOf.value) return null;
  const at = pastAt.value;
  const share = () => {
    const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject(new Error("no clipboard"));
    copied.then(
      () => say("The link to this moment is copied."),
      () => say("Copy the address of this page: it leads to this moment."),
    );
  };
  return (
    <div class="past-banner" role="status">
      <Icon name="clock" />
      <p>
        <strong>You are looking at the past</strong>
        {at !== undefined && (
          <span>
            <time dateTime={new Date(at).toISOString()}>{exactUtc(at)}</time>
            {exact(at) !== exactUtc(at) && <span> · {exact(at)} where you are</span>}
            {moment.value && <span> · after position {moment.value.position.toLocaleString("en")}</span>}
          </span>
        )}
        <small>Nothing can be done here, and what happens now is not shown.</small>
      </p>
      <button type="button" onClick={share}>
        Copy link
      </button>
      <button type="button" class="main" onClick={() => lookAt(undefined)}>
        Back to now
      </button>
    </div>
  );
}

/** Moves the page through time, from the workspace's first fact to now. */
export function TimeBar() {
  return isOpen.value || asOf.value ? <Slider key={place.value.workspace} /> : null;
}

function Slider() {
  const { workspace } = place.value;
  const begin = useBegin(workspace);
  useMoment(workspace);
  const [dragged, setDragged] = useState<number>();
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => setDragged(undefined), [asOf.value]);

  const end = present.value;
  const at = Math.min(end, dragged ?? pastAt.value ?? end);
  const step = stepFor(end - begin);
  const said = end - begin < DAY_MS ? clock : short;
  const move = (to: number, afterMs: number) => {
    const wanted = Math.min(end, Math.max(begin, to));
    setDragged(wanted);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => lookAt(wanted === end ? undefined : wanted), afterMs);
  };
  return (
    <section class="time" aria-label="Time">
      <div class="time-moves">
        {STEPS.map(([unit, length]) => (
          <Step key={unit} sign="−" unit={unit} disabled={at <= begin} go={() => move(at - length, 0)} />
        ))}
        <EventStep workspace={workspace} back />
      </div>
      <div class="range">
        <input
          type="range"
          aria-label="Moment"
          aria-valuetext={at >= end ? "now" : exactUtc(at)}
          min={end - Math.ceil((end - begin) / step) * step}
          max={end}
          step={step}
          value={at}
          onInput={({ currentTarget: { valueAsNumber } }) => move(valueAsNumber, DRAGGING_MS)}
        />
        <div class="ticks" aria-hidden="true">
          {Array.from({ length: MARKS + 1 }, (_, mark) => (
            <span key={mark} style={{ left: `${(mark / MARKS) * 100}%` }}>
              {mark === MARKS ? "now" : said(begin + ((end - begin) * mark) / MARKS)}
            </span>
          ))}
        </div>
      </div>
      <div class="time-moves">
        <EventStep workspace={workspace} />
        {[...STEPS].reverse().map(([unit, length]) => (
          <Step key={unit} sign="+" unit={unit} disabled={at >= end} go={() => move(at + length, 0)} />
        ))}
      </div>
      <label class="when">
        <span>Date and time, as your clock shows it</span>
        <input
          type="datetime-local"
          step="1"
          value={localTime(at)}
          min={localTime(begin)}
          max={localTime(end)}
          onChange={({ currentTarget: { value } }) => value && move(new Date(value).getTime(), DRAGGING_MS)}
        />
      </label>
    </section>
  );
}

function Step(props: { sign: string; unit: string; disabled: boolean; go: () => void }) {
  const said = `${props.sign === "+" ? "Forward" : "Back"} one ${props.unit}`;
  return (
    <button type="button" class="time-move" aria-label={said} title={said} disabled={props.disabled} onClick={props.go}>
      {props.sign}1 {props.unit === "minute" ? "min" : props.unit}
    </button>
  );
}

/** Goes to the fact before or after, so that nothing which happened is passed over. */
function EventStep({ workspace, back = false }: { workspace: string; back?: boolean }) {
  const at = asOf.value ? moment.value?.position : undefined;
  const reason = hasRole(...HISTORIANS) ? undefined : `it needs one of: ${HISTORIANS.join(", ")}`;
  const said = back ? "Before the last fact" : "After the next fact";
  const go = async () => {
    if (reason !== undefined) return say(`${said} is not possible: ${reason}.`);
    try {
      lookAt(await (back ? factBefore(workspace, at) : factAfter(workspace, at)));
    } catch (error) {
      say(asProblem(error).message);
    }
  };
  return (
    <button
      type="button"
      class="time-move"
      aria-label={said}
      title={reason ?? said}
      aria-disabled={reason !== undefined}
      disabled={back ? asOf.value !== "" && at === undefined : at === undefined}
      onClick={go}
    >
      {back ? "‹ fact" : "fact ›"}
    </button>
  );
}

const EVENTS = "/v1/{workspace}/events";
type Query = Parameters<typeof read<typeof EVENTS>>[2];

/** The position of the workspace's last fact but one at a position, without which its last one is not there yet. */
async function factBefore(workspace: string, at: number | undefined): Promise<string | undefined> {
  const get = (query: Query) => read(EVENTS, { workspace }, query);
  const head = at ?? (await get({ after: Number.MAX_SAFE_INTEGER, limit: 1 })).as_of.position;
  const { events } = await lookBack(get, head, 0, 2);
  return events[1] ? String(events[1].position) : asOf.value;
}

async function factAfter(workspace: string, at: number | undefined): Promise<string | undefined> {
  const { items } = await read(EVENTS, { workspace }, { after: at ?? 0, limit: 2 });
  return items.length > 1 ? String(items[0]!.position) : undefined;
}

/** When the workspace began: before that there is nothing to look at. */
function useBegin(workspace: string): number {
  const [begin, setBegin] = useState<number>();
  useEffect(() => {
    const stop = new AbortController();
    read(WORKSPACE, { workspace }, {}, stop.signal).then(
      (found) => setBegin(Date.parse(found.created_at)),
      () => undefined,
    );
    return () => stop.abort();
  }, [workspace]);
  return Math.min(begin ?? pastAt.value ?? present.value - DAY_MS, pastAt.value ?? present.value);
}

/** Learns which position and which instant are looked at. */
function useMoment(workspace: string): void {
  const asked = asOf.value;
  const { data } = useView(WORKSPACE, { workspace }, {}, ofKinds());
  useEffect(() => {
    if (data && asked) tell(asked, data.as_of);
  }, [data]);
}

/** How far an arrow key moves: small where there is little to look at, and not too small where there is much. */
function stepFor(length: number): number {
  if (length < 2 * HOUR_MS) return 1000;
  if (length < 3 * DAY_MS) return MINUTE_MS;
  return length < 90 * DAY_MS ? 15 * MINUTE_MS : HOUR_MS;
}

/** An instant as fields of browsers have it, by the reader's own clock. */
export function localTime(at: number): string {
  const here = new Date(at - new Date(at).getTimezoneOffset() * MINUTE_MS);
  return here.toISOString().slice(0, 19);
}

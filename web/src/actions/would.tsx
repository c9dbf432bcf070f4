import type { Preview, Schemas } from "../api/client";
import { Icon } from "../parts/icons";
import { capital, count, now, plain, relative, short, wallClock } from "../words";

type Moment = Schemas["ComingMoment"];

const SHOWN = 5;
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const NOTES: Record<string, string> = {
  dst_gap: "the clocks leave this time out",
  dst_repeat: "this time comes twice",
  drifted_from_label: "not the time of its label",
  paused: "paused: will be skipped",
  held: "held: will be skipped",
  blackout: "blackout: will be skipped",
};

/** What a command would do, in the service's own words. */
export function Would({ preview }: { preview: Preview }) {
  return (
    <div class="would">
      {preview.events.length === 0 && <p>Nothing would change.</p>}
      <AtOnce preview={preview} />
      {preview.events.length > 0 && (
        <>
          <h3>What would be recorded</h3>
          <Recorded preview={preview} />
        </>
      )}
      <Warnings of={preview.warnings} />
      <Coming preview={preview} />
    </div>
  );
}

/** What would run at once. */
export function AtOnce({ preview }: { preview: Preview }) {
  const runs = preview.runs_now.map((one) => one.owner.id);
  if (runs.length === 0) return null;
  return (
    <p class="lead">
      <Icon name="play" /> {count(runs.length, "run")} would start at once: {runs.join(", ")}
    </p>
  );
}

export function Recorded({ preview }: { preview: Preview }) {
  return (
    <ul class="facts">
      {preview.events.map((event, place) => (
        <li key={place}>{event.sentence}</li>
      ))}
    </ul>
  );
}

export function Warnings({ of }: { of: Preview["warnings"] }) {
  if (of.length === 0) return null;
  return (
    <ul class="warnings">
      {of.map((one, place) => (
        <li key={place}>
          <Icon name="warn" /> {capital(one.detail.replace(INSTANT, short))}
        </li>
      ))}
    </ul>
  );
}

/** The coming moments of each owner whose moments would be others than today. */
function Coming({ preview }: { preview: Preview }) {
  const changed = Object.keys(preview.next).filter(
    (owner) => JSON.stringify(preview.next[owner]) !== JSON.stringify(preview.before[owner]),
  );
  return changed.map((owner) => {
    const next = preview.next[owner]!.slice(0, SHOWN);
    return (
      <section key={owner}>
        <h3>{next.length ? "Then due" : "Then nothing is due"}</h3>
        <Moments of={next} />
      </section>
    );
  });
}

/** Coming moments as their zone's clock shows them, each with what is odd about it. */
export function Moments({ of }: { of: readonly Moment[] }) {
  return (
    <ol class="coming">
      {of.map((one) => (
        <li key={one.due}>
          <time dateTime={one.due} title={relative(one.due, now.value)}>
            {wallClock(one.local)}
          </time>
          {one.notes.map((note) => (
            <span key={note} class="note">
              {NOTES[note] ?? plain(note)}
            </span>
          ))}
        </li>
      ))}
    </ol>
  );
}

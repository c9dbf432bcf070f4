import type { Preview } from "../api/client";
import { Icon } from "../parts/icons";
import { count, plain, wallClock } from "../words";

/** What a command would do, in the service's own words. */
export function Would({ preview }: { preview: Preview }) {
  const runs = preview.runs_now.map((one) => one.owner.id);
  return (
    <div class="would">
      {preview.events.length === 0 && <p>Nothing would change.</p>}
      {runs.length > 0 && (
        <p class="lead">
          <Icon name="play" /> {count(runs.length, "run")} would start at once: {runs.join(", ")}
        </p>
      )}
      {preview.events.length > 0 && (
        <>
          <h3>What would be recorded</h3>
          <ul class="facts">
            {preview.events.map((event, place) => (
              <li key={place}>{event.sentence}</li>
            ))}
          </ul>
        </>
      )}
      {preview.warnings.length > 0 && (
        <ul class="warnings">
          {preview.warnings.map((one, place) => (
            <li key={place}>
              <Icon name="warn" /> {one.detail}
            </li>
          ))}
        </ul>
      )}
      <Coming preview={preview} />
    </div>
  );
}

/** The coming moments of each owner whose moments would be others than today. */
function Coming({ preview }: { preview: Preview }) {
  const changed = Object.keys(preview.next).filter(
    (owner) => JSON.stringify(preview.next[owner]) !== JSON.stringify(preview.before[owner]),
  );
  return changed.map((owner) => {
    const next = preview.next[owner]!.slice(0, 5);
    return (
      <section key={owner}>
        <h3>{next.length ? "Then due" : "Then nothing is due"}</h3>
        <ol class="coming">
          {next.map((one) => (
            <li key={one.due}>
              {wallClock(one.local)}
              {one.notes.length > 0 && <span class="faint"> {one.notes.map(plain).join(", ")}</span>}
            </li>
          ))}
        </ol>
      </section>
    );
  });
}

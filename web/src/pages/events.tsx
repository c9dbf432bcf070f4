import { useState } from "preact/hooks";

import type { Schemas } from "../api/client";
import { useView } from "../live/view";
import { Loading, Trouble } from "../parts/basics";
import { to } from "../router";
import { actor, long, short } from "../words";

export type Event = Schemas["EventBody"];

/** Facts as sentences; each opens to all that is recorded of it. */
export function EventList({ workspace, events }: { workspace: string; events: readonly Event[] }) {
  return (
    <ol class="events">
      {events.map((event) => (
        <EventItem key={event.position} workspace={workspace} event={event} />
      ))}
    </ol>
  );
}

function EventItem({ workspace, event }: { workspace: string; event: Event }) {
  const [isOpen, setOpen] = useState(false);
  const run = event.stream.startsWith("run:") ? event.stream.slice(4) : undefined;
  return (
    <li>
      <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary>
          <span class="position">{event.position.toLocaleString("en")}</span>
          <time dateTime={event.at} title={long(event.at)}>
            {short(event.at)}
          </time>
          <span class="sentence">{event.sentence ?? event.type}</span>
          <span class="actor" title={event.actor}>
            {actor(event.actor)}
          </span>
        </summary>
        {isOpen && (
          <>
            <p class="links">
              <code>{event.type}</code>
              <a href={to(workspace, "history", "", { stream: event.stream })}>All of {event.stream}</a>
              {run && <a href={to(workspace, "runs", run)}>The run</a>}
            </p>
            <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
          </>
        )}
      </details>
    </li>
  );
}

const STREAM = "/v1/{workspace}/streams/{stream}/events";

/** The history of one stream, as far as one answer goes; the rest is on its own page. */
export function Events({ workspace, stream }: { workspace: string; stream: string }) {
  const query = { limit: 200, sentences: true };
  const { data, problem, reload } = useView(STREAM, { workspace, stream }, query, (other) => other === stream);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  return (
    <>
      <EventList workspace={workspace} events={data.items} />
      {data.next !== null && (
        <p class="more">
          <a href={to(workspace, "history", "", { stream })}>There is more: all of {stream}</a>
        </p>
      )}
    </>
  );
}

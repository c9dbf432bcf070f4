import { useState } from "preact/hooks";

import type { Schemas } from "../api/client";
import { useView } from "../live/view";
import { Loading, Tag, Trouble } from "../parts/basics";
import { to } from "../router";
import { actor, long, short } from "../words";

export type Event = Schemas["EventBody"];

/** Facts as sentences; each opens to all that is recorded of it. */
export function EventList(props: { workspace: string; events: readonly Event[]; marked?: number }) {
  return (
    <ol class="events">
      {props.events.map((event) => (
        <EventItem
          key={event.position}
          workspace={props.workspace}
          event={event}
          isMarked={event.position === props.marked}
        />
      ))}
    </ol>
  );
}

function EventItem(props: { workspace: string; event: Event; isMarked: boolean }) {
  const { event, isMarked } = props;
  const [isOpen, setOpen] = useState(isMarked);
  const isElsewhere = event.workspace !== props.workspace;
  const workspace = event.workspace === "*" ? props.workspace : event.workspace;
  const run = event.stream.startsWith("run:") ? event.stream.slice(4) : undefined;
  return (
    <li class={isMarked ? "marked" : undefined}>
      <details open={isOpen} onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary>
          <span class="position">{event.position.toLocaleString("en")}</span>
          <time dateTime={event.at} title={long(event.at)}>
            {short(event.at)}
          </time>
          <span class="sentence">
            {isElsewhere && <Tag>{event.workspace === "*" ? "deployment" : event.workspace}</Tag>}{" "}
            {event.sentence ?? event.type}
          </span>
          <span class="actor" title={event.actor}>
            {actor(event.actor)}
          </span>
        </summary>
        {isOpen && (
          <>
            <p class="links">
              <code>{event.type}</code>
              {event.workspace !== "*" && (
                <a href={to(workspace, "history", "", { stream: event.stream })}>All of {event.stream}</a>
              )}
              {run && <a href={to(workspace, "runs", run)}>The run</a>}
              <a href={to(workspace, pageOf(event.stream), "", { as_of: String(event.position) })}>
                The page as it was right after
              </a>
            </p>
            <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
          </>
        )}
      </details>
    </li>
  );
}

/** The page that shows what a fact of a stream changed. */
function pageOf(stream: string): string {
  return stream.startsWith("group:") || stream.startsWith("job:") ? "connect" : "jobs";
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

import type { Schemas } from "../api/client";
import { deedsOfRun, reasonOf } from "../actions/deeds";
import { DeedButton } from "../actions/tools";
import { useView } from "../live/view";
import { At, Loading, State, Tag, Trouble } from "../parts/basics";
import { place, to } from "../router";
import { hasRole, HISTORIANS } from "../session";
import { capital, count, duration, long, now, plain } from "../words";
import { Counts } from "./connect_rows";
import { Events } from "./events";
import { Gantt } from "./gantt";
import { Lines } from "./lines";

const PATH = "/v1/{workspace}/runs/{id}";

export type RunShown = Schemas["Run"];

/** One run: what it did when, what it said, and what of it is recorded. */
export function Run() {
  const { workspace, id } = place.value;
  const concerns = (stream: string) => stream === `run:${id}`;
  const { data: run, problem, reload } = useView(PATH, { workspace, id }, {}, concerns);
  if (!run) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const deeds = deedsOfRun(run.id, run.owner.id).filter((deed) => deed.name in run.actions);
  const isOver = run.ended_at !== null;
  const shown = deeds.filter((deed) => (deed.name === "resume") === isOver);

  return (
    <>
      <div class="title">
        <div>
          <p class="above">
            {capital(run.owner.kind)} · <code>{run.owner.id}</code>
          </p>
          <h1>
            Run <State state={run.state} />
          </h1>
        </div>
        <div class="toolbar">
          {shown.map((deed) => (
            <DeedButton key={deed.label} workspace={workspace} deed={deed} reason={reasonOf(run.actions, deed.name)} />
          ))}
        </div>
      </div>
      {problem && <Trouble problem={problem} again={reload} />}
      <Facts run={run} workspace={workspace} />
      <section class="card" aria-labelledby="stages">
        <h2 id="stages">Stages</h2>
        <Gantt run={run} />
      </section>
      <section class="card" aria-labelledby="lines">
        <h2 id="lines">Log</h2>
        <Lines workspace={workspace} run={run} />
      </section>
      {hasRole(...HISTORIANS) && (
        <section class="card" aria-labelledby="events">
          <h2 id="events">What was recorded</h2>
          <Events workspace={workspace} stream={`run:${run.id}`} />
        </section>
      )}
    </>
  );
}

function Facts({ run, workspace }: { run: RunShown; workspace: string }) {
  const started = run.started_at ?? run.opened_at;
  const facts: [string, preact.ComponentChildren][] = [
    ["Cause", plain(run.cause) + (run.cause_detail ? ` (${plain(run.cause_detail)})` : "")],
    ["Due", run.due && <At at={run.due} />],
    ["Opened", <At at={run.opened_at} />],
    ["Took", duration(started, run.ended_at ?? now.value)],
    ["Reason", run.reason && plain(run.reason)],
    ["Jobs", run.counts && Object.keys(run.counts).length > 0 && <Counts counts={run.counts} />],
    ["Stands for", run.missed_occurrences > 0 && `${count(run.missed_occurrences, "missed moment")} besides its own`],
    ["Resumes", run.resumes && <RunLink workspace={workspace} id={run.resumes} />],
    ["Resumed by", run.resumed_by && <RunLink workspace={workspace} id={run.resumed_by} />],
    ["Waited", run.delays.length > 0 && run.delays.map((one) => plain(one.reason)).join(", ")],
  ];
  return (
    <dl class="facts card" title={`Run ${run.id}, opened ${long(run.opened_at)}`}>
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
      {run.stop && (
        <div>
          <dt>Stop</dt>
          <dd>
            <Tag tone="warn">{plain(run.stop)}</Tag>
          </dd>
        </div>
      )}
    </dl>
  );
}

function RunLink({ workspace, id }: { workspace: string; id: string }) {
  return <a href={to(workspace, "runs", id)}>{id.slice(0, 13)}…</a>;
}

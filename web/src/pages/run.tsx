import type { Schemas } from "../api/client";
import { deedsOfRun, reasonOf } from "../actions/deeds";
import { DeedButton } from "../actions/tools";
import { askWhy, notAsked } from "../actions/why";
import { useView } from "../live/view";
import { At, Loading, Nothing, State, Tag, Trouble } from "../parts/basics";
import { place, to } from "../router";
import { hasRole, HISTORIANS } from "../session";
import { asOf } from "../time/moment";
import { capital, count, duration, exactUtc, long, now, plain, seconds } from "../words";
import { Counts } from "./connect_rows";
import { Events } from "./events";
import { Gantt } from "./gantt";
import { Lines } from "./lines";
import { useProgress } from "./progress";
import "./run.css";

const PATH = "/v1/{workspace}/runs/{id}";
const OCCURRENCE = "/v1/{workspace}/occurrences/{id}";
const NOTHING_MS = 1000;

export type RunShown = Schemas["Run"];

/** One run: what it did when, what it said, which moment it answers, and what of it is recorded. */
export function Run() {
  const { workspace, id } = place.value;
  const concerns = (stream: string) => stream === `run:${id}`;
  const { data: run, problem, reload } = useView(PATH, { workspace, id }, {}, concerns);
  const live = useProgress(id);
  if (!run && problem?.status === 404 && asOf.value) {
    return (
      <>
        <h1>Run</h1>
        <Nothing title="There was no such run yet">Move on in time, or go back to now.</Nothing>
      </>
    );
  }
  if (!run) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const isOver = run.ended_at !== null;
  const deeds = deedsOfRun(run.id, run.owner).filter((deed) => (deed.name === "stop") !== isOver);
  const isHistorian = hasRole(...HISTORIANS);

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
          {notAsked(run.owner.kind) === undefined && (
            <button type="button" onClick={() => askWhy(run.owner, run.due ?? run.opened_at)}>
              Why did it run?
            </button>
          )}
          {deeds.map((deed) => (
            <DeedButton key={deed.label} workspace={workspace} deed={deed} reason={reasonOf(run.actions, deed.name)} />
          ))}
        </div>
      </div>
      {problem && <Trouble problem={problem} again={reload} />}
      <Facts run={run} workspace={workspace} />
      {run.due && <Occurrence workspace={workspace} run={run} />}
      <section class="card" aria-labelledby="stages">
        <h2 id="stages">Stages</h2>
        <Gantt run={run} live={live} />
      </section>
      <div class={isHistorian ? "beside" : undefined}>
        <section class="card" aria-labelledby="lines">
          <h2 id="lines">Log</h2>
          <Lines workspace={workspace} run={run} />
        </section>
        {isHistorian && (
          <section class="card" aria-labelledby="events">
            <h2 id="events">What was recorded</h2>
            <Events workspace={workspace} stream={`run:${run.id}`} />
          </section>
        )}
      </div>
    </>
  );
}

function Facts({ run, workspace }: { run: RunShown; workspace: string }) {
  const started = run.started_at ?? run.opened_at;
  const facts: [string, preact.ComponentChildren][] = [
    ["Cause", plain(run.cause) + (run.cause_detail ? ` (${plain(run.cause_detail)})` : "")],
    ["Opened", <At at={run.opened_at} />],
    ["Took", duration(started, run.ended_at ?? now.value)],
    ["Reason", run.reason && plain(run.reason)],
    ["Done", `${run.progress.ended} of ${count(run.progress.job_runs, "job")}`],
    ["Counts", run.counts && Object.keys(run.counts).length > 0 && <Counts counts={run.counts} />],
    ["Resumes", run.resumes && <RunLink workspace={workspace} id={run.resumes} />],
    ["Resumed by", run.resumed_by && <RunLink workspace={workspace} id={run.resumed_by} />],
    ["Stop", run.stop && <Tag tone="warn">{plain(run.stop)}</Tag>],
  ];
  return (
    <dl class="facts card" title={`Run ${run.id}, opened ${long(run.opened_at)}`}>
      <Terms facts={facts} />
    </dl>
  );
}

function Terms({ facts }: { facts: readonly [string, preact.ComponentChildren][] }) {
  return facts.map(
    ([name, value]) =>
      value && (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ),
  );
}

/** The due moment that the run answers: how it was answered, by which rule, and how late. */
function Occurrence({ workspace, run }: { workspace: string; run: RunShown }) {
  const { data } = useView(OCCURRENCE, { workspace, id: run.id }, {}, (stream) => stream === `run:${run.id}`);
  const due = run.due!;
  const lateBy = Date.parse(run.started_at ?? run.opened_at) - Date.parse(due);
  const facts: [string, preact.ComponentChildren][] = [
    ["Due", <At at={due} />],
    ["In UTC", exactUtc(due)],
    [
      "Outcome",
      data && <State state={data.outcome === "ran" ? "succeeded" : data.outcome} word={plain(data.outcome)} />,
    ],
    ["Cadence", run.cadence_version !== null && `version ${run.cadence_version}`],
    ["Late by", lateBy < NOTHING_MS ? "nothing" : seconds(lateBy / 1000)],
    [
      "Waited for",
      run.delays.length > 0 &&
        run.delays.map((one) => plain(one.reason) + (one.open_run ? ` (run ${one.open_run})` : "")).join(", "),
    ],
    ["Stands for", run.missed_occurrences > 0 && `${count(run.missed_occurrences, "missed moment")} besides its own`],
  ];
  return (
    <section class="card" aria-labelledby="occurrence">
      <h2 id="occurrence">The moment that it answers</h2>
      <dl class="facts">
        <Terms facts={facts} />
      </dl>
    </section>
  );
}

function RunLink({ workspace, id }: { workspace: string; id: string }) {
  return <a href={to(workspace, "runs", id)}>{id.slice(0, 13)}…</a>;
}

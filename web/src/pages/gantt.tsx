import type { Schemas } from "../api/client";
import { Bar, State, Tag, toneOf } from "../parts/basics";
import { clock, count, duration, now, plain, seconds } from "../words";
import { Counts } from "./connect_rows";
import type { Live, Progress } from "./progress";
import type { RunShown } from "./run";
import { type Span, waitsOf, worked } from "./waits";

type JobRun = Schemas["JobRunShown"];
type Attempt = Schemas["AttemptShown"];

interface Axis {
  from: number;
  length: number;
}

const TICKS = 4;

/** Stages from top to bottom, their jobs stacked: when each waited for its turn, and when it worked. */
export function Gantt({ run, live }: { run: RunShown; live: Live }) {
  const from = Date.parse(run.opened_at);
  const until = run.ended_at ? Date.parse(run.ended_at) : Math.max(now.value, from);
  const axis = { from, length: Math.max(until - from, 1) };
  const waits = waitsOf(run, until);
  const started = run.started_at ? Date.parse(run.started_at) : until;
  return (
    <div class="gantt">
      <div class="axis" aria-hidden="true">
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <span key={tick} style={{ left: `${(tick / TICKS) * 100}%` }}>
            {tick === 0 ? clock(from) : `+${seconds((axis.length * tick) / TICKS / 1000)}`}
          </span>
        ))}
      </div>
      {started - from >= 1000 && (
        <div class="lane">
          <div class="who">
            <strong>Queue</strong>
            <small>{seconds((started - from) / 1000)} until an instance took it</small>
          </div>
          <div class="track">
            <Wait wait={{ from, until: started, why: "the run waited for an instance" }} axis={axis} />
          </div>
        </div>
      )}
      {run.stages.map((stage) => (
        <section key={stage.seq} aria-label={`Stage ${stage.seq}`}>
          <h3>Stage {stage.seq}</h3>
          {stage.job_runs.map((job) => (
            <Lane key={job.row} job={job} axis={axis} waits={waits.get(job.row) ?? []} live={live.get(job.row)} />
          ))}
        </section>
      ))}
      <p class="gantt-key" aria-hidden="true">
        <span class="piece wait" /> waited <span class="piece busy" /> worked
      </p>
    </div>
  );
}

function Lane(props: { job: JobRun; axis: Axis; waits: readonly Span[]; live: Progress | undefined }) {
  const { job, axis, waits } = props;
  const isOpen = job.ended_at === null;
  const waited = waits.reduce((sum, wait) => sum + wait.until - wait.from, 0) / 1000;
  const spent = worked(job, axis.from + axis.length) / 1000;
  const progress = isOpen ? (props.live ?? job.progress) : null;
  const counts = isOpen && props.live?.counts ? props.live.counts : job.counts;
  return (
    <div class="lane">
      <div class="who">
        <strong>{job.job.id}</strong>
        <State state={job.state} title={job.reason ? plain(job.reason) : undefined} />
        {job.state === "skipped" && job.reason && <small>{plain(job.reason)}</small>}
        {job.skip_wait && <Tag title="Starts with the run, and nobody waits for it">skip wait</Tag>}
        {job.released && <Tag title="Later stages go on without it">released</Tag>}
        {job.carried && <Tag title="It succeeded in the run that this one resumes">carried over</Tag>}
        {job.attempts.length > 1 && <Tag>{count(job.attempts.length, "attempt")}</Tag>}
        {progress?.fraction != null && <Bar share={progress.fraction} label={`How far ${job.job.id} is`} />}
        {progress?.text && <small>{progress.text}</small>}
        {job.attempts.length > 0 && (
          <small>
            worked {seconds(spent)}
            {waited >= 0.05 && `, waited ${seconds(waited)}`}
          </small>
        )}
        {Object.keys(counts).length > 0 && <Counts counts={counts} />}
        <Rejects job={job} />
        {job.detail && <small class="error">{job.detail}</small>}
      </div>
      <div class="track">
        {waits.map((wait) => (
          <Wait key={wait.from} wait={wait} axis={axis} />
        ))}
        {job.attempts.map((attempt) => (
          <Piece key={attempt.attempt} attempt={attempt} axis={axis} />
        ))}
      </div>
    </div>
  );
}

const LINES_SHOWN = 20;

/** Which lines of the source were not loaded, and where each stands with its reason. */
function Rejects({ job }: { job: JobRun }) {
  const output = job["output"] as { rejects_file?: unknown; rejected_lines?: unknown } | null | undefined;
  if (typeof output?.rejects_file !== "string") return null;
  const lines = Array.isArray(output.rejected_lines) ? output.rejected_lines.map(Number) : [];
  const all = job.counts["rejected"] ?? lines.length;
  return (
    <small class="rejects">
      {lines.length > 0 && (
        <>
          Rejected {lines.length === 1 ? "line" : "lines"} {lines.slice(0, LINES_SHOWN).join(", ")}
          {all > Math.min(lines.length, LINES_SHOWN) &&
            ` and ${(all - Math.min(lines.length, LINES_SHOWN)).toLocaleString("en")} more`}
          ;{" "}
        </>
      )}
      each with its reason in <code>{output.rejects_file}</code>
    </small>
  );
}

function placed(from: number, until: number, axis: Axis): { left: string; width: string } {
  const left = Math.min(99, Math.max(0, ((from - axis.from) / axis.length) * 100));
  const width = Math.max(0.4, Math.min(100 - left, ((until - from) / axis.length) * 100));
  return { left: `${left}%`, width: `${width}%` };
}

function Wait({ wait, axis }: { wait: Span; axis: Axis }) {
  const said = `Waited ${seconds((wait.until - wait.from) / 1000)}: ${wait.why}`;
  return (
    <span class="piece wait" role="img" aria-label={said} title={said} style={placed(wait.from, wait.until, axis)} />
  );
}

function Piece({ attempt, axis }: { attempt: Attempt; axis: Axis }) {
  if (!attempt.started_at) return null;
  const end = attempt.ended_at ? Date.parse(attempt.ended_at) : axis.from + axis.length;
  const state = attempt.state ?? "running";
  const took = duration(attempt.started_at, attempt.ended_at ?? now.value);
  const said = [`Attempt ${attempt.attempt}: ${plain(state)}`, took, attempt.detail].filter(Boolean).join(", ");
  return (
    <span
      class={`piece ${toneOf(state)}`}
      role="img"
      aria-label={said}
      title={said}
      style={placed(Date.parse(attempt.started_at), end, axis)}
    />
  );
}

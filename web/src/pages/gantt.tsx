import type { Schemas } from "../api/client";
import { Bar, State, Tag, toneOf } from "../parts/basics";
import { clock, duration, now, plain, seconds } from "../words";
import { Counts } from "./connect_rows";
import type { RunShown } from "./run";

type JobRun = Schemas["JobRunShown"];
type Attempt = Schemas["AttemptShown"];

interface Axis {
  from: number;
  length: number;
}

const TICKS = 4;

/** Stages from top to bottom, their jobs stacked, and each attempt where it was in time. */
export function Gantt({ run }: { run: RunShown }) {
  const from = Date.parse(run.opened_at);
  const until = run.ended_at ? Date.parse(run.ended_at) : Math.max(now.value, from);
  const axis = { from, length: Math.max(until - from, 1) };
  return (
    <div class="gantt">
      <div class="axis" aria-hidden="true">
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <span key={tick} style={{ left: `${(tick / TICKS) * 100}%` }}>
            {tick === 0 ? clock(from) : `+${seconds((axis.length * tick) / TICKS / 1000)}`}
          </span>
        ))}
      </div>
      {run.stages.map((stage) => (
        <section key={stage.seq} aria-label={`Stage ${stage.seq}`}>
          <h3>Stage {stage.seq}</h3>
          {stage.job_runs.map((job) => (
            <Lane key={job.row} job={job} axis={axis} />
          ))}
        </section>
      ))}
    </div>
  );
}

function Lane({ job, axis }: { job: JobRun; axis: Axis }) {
  return (
    <div class="lane">
      <div class="who">
        <strong>{job.job.id}</strong>
        <State state={job.state} title={job.reason ? plain(job.reason) : undefined} />
        {job.skip_wait && <Tag title="Starts with the run, and nobody waits for it">skip wait</Tag>}
        {job.attempts.length > 1 && <Tag>{job.attempts.length} attempts</Tag>}
        {job.progress?.fraction != null && job.ended_at === null && (
          <Bar share={job.progress.fraction} label={`How far ${job.job.id} is`} />
        )}
        {job.progress?.text && job.ended_at === null && <small>{job.progress.text}</small>}
        {Object.keys(job.counts).length > 0 && <Counts counts={job.counts} />}
        {job.detail && <small class="error">{job.detail}</small>}
      </div>
      <div class="track">
        {job.attempts.map((attempt) => (
          <Piece key={attempt.attempt} attempt={attempt} axis={axis} />
        ))}
      </div>
    </div>
  );
}

function Piece({ attempt, axis }: { attempt: Attempt; axis: Axis }) {
  if (!attempt.started_at) return null;
  const begin = Date.parse(attempt.started_at);
  const end = attempt.ended_at ? Date.parse(attempt.ended_at) : axis.from + axis.length;
  const state = attempt.state ?? "running";
  const took = duration(attempt.started_at, attempt.ended_at ?? now.value);
  const left = Math.min(99, ((begin - axis.from) / axis.length) * 100);
  const width = Math.max(0.6, Math.min(100 - left, ((end - begin) / axis.length) * 100));
  const said = [`Attempt ${attempt.attempt}: ${plain(state)}`, took, attempt.detail].filter(Boolean).join(", ");
  return (
    <span
      class={`piece ${toneOf(state)}`}
      role="img"
      aria-label={said}
      title={said}
      style={{ left: `${left}%`, width: `${width}%` }}
    />
  );
}

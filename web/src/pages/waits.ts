import type { Schemas } from "../api/client";
import type { RunShown } from "./run";

type JobRun = Schemas["JobRunShown"];

/** A time in which a job could have run and did not, in milliseconds, and what it waited for. */
export interface Span {
  from: number;
  until: number;
  why: string;
}

/** Returns when each job of a run waited, by its row: for its turn, and between its attempts. */
export function waitsOf(run: RunShown, end: number): ReadonlyMap<number, readonly Span[]> {
  const found = new Map<number, readonly Span[]>();
  const begin = run.started_at ? Date.parse(run.started_at) : undefined;
  let ready = begin;
  for (const stage of run.stages) {
    for (const job of stage.job_runs) {
      const since = job.skip_wait ? begin : ready;
      found.set(job.row, [...untilItsTurn(job, since, end), ...betweenAttempts(job, end)]);
    }
    ready = over(stage.job_runs, ready);
  }
  return found;
}

function untilItsTurn(job: JobRun, since: number | undefined, end: number): readonly Span[] {
  const first = job.attempts[0]?.started_at ?? job.ended_at;
  const until = first ? Date.parse(first) : end;
  if (since === undefined || until <= since || job.carried || job.state === "skipped") return [];
  const holder = job["waits_for"];
  return [{ from: since, until, why: typeof holder === "string" ? `run ${holder} had the job` : "for its turn" }];
}

function betweenAttempts(job: JobRun, end: number): readonly Span[] {
  return job.attempts.flatMap((attempt, place) => {
    const next = job.attempts[place + 1];
    if (!attempt.ended_at || (!next && job.ended_at)) return [];
    const from = Date.parse(attempt.ended_at);
    const until = next?.started_at ? Date.parse(next.started_at) : end;
    return until > from ? [{ from, until, why: "before it was tried again" }] : [];
  });
}

/** When nobody waits for a stage any more; `undefined` while somebody does. */
function over(jobs: readonly JobRun[], since: number | undefined): number | undefined {
  if (since === undefined) return undefined;
  const ends = jobs.filter((job) => !job.skip_wait).map(releasedAt);
  return ends.includes(undefined) ? undefined : Math.max(since, ...(ends as number[]));
}

function releasedAt(job: JobRun): number | undefined {
  const at = job.attempts.at(-1)?.suspension?.released_at ?? job.ended_at;
  return at ? Date.parse(at) : undefined;
}

/** Returns for how long a job's attempts worked, in milliseconds. */
export function worked(job: JobRun, end: number): number {
  return job.attempts.reduce((sum, { started_at: from, ended_at: until }) => {
    return sum + (from ? (until ? Date.parse(until) : end) - Date.parse(from) : 0);
  }, 0);
}

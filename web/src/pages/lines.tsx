import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Problem, read, type Schemas } from "../api/client";
import { Nothing, Trouble } from "../parts/basics";
import { asOf } from "../time/moment";
import { clock, count } from "../words";
import type { RunShown } from "./run";

type Line = Schemas["LogLineBody"];

const PATH = "/v1/{workspace}/runs/{id}/log";
const PAGE = 1000;
const SHOWN_MAX = 2000;
const TAIL_MS = 2000;
const AT_END_PX = 40;

/** The last lines that the run's jobs wrote, as they were written; while it is open new ones join by themselves. */
export function Lines({ workspace, run }: { workspace: string; run: RunShown }) {
  const { lines, problem } = useTail(workspace, run);
  const [wanted, setWanted] = useState("");
  const [row, setRow] = useState(0);
  const box = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);

  const jobs = run.stages.flatMap((stage) => stage.job_runs);
  const names = new Map(jobs.map((job) => [job.row, job.job.id]));
  const text = wanted.toLowerCase();
  const found = lines.filter(
    (line) => (!row || line.row === row) && (!text || said(line).toLowerCase().includes(text)),
  );
  useEffect(() => {
    if (isAtEnd.current) box.current?.scrollTo(0, box.current.scrollHeight);
  }, [found.length]);

  if (problem) return <Trouble problem={problem} />;
  if (lines.length === 0) return <Nothing title="No lines were written" />;
  return (
    <>
      <div class="log-tools">
        <label class="choice">
          <span class="unseen">Search the log</span>
          <input
            type="search"
            placeholder="Search the log"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </label>
        {jobs.length > 1 && (
          <label class="choice">
            <span class="unseen">Of which job</span>
            <select value={row} onChange={(event) => setRow(Number(event.currentTarget.value))}>
              <option value={0}>All jobs</option>
              {jobs.map((job) => (
                <option key={job.row} value={job.row}>
                  {job.row}. {job.job.id}
                </option>
              ))}
            </select>
          </label>
        )}
        <span class="faint" role="status">
          {text || row ? `${found.length.toLocaleString("en")} of ` : ""}
          {lines.length === SHOWN_MAX ? "the last " : ""}
          {count(lines.length, "line")}
        </span>
      </div>
      <ol
        class="lines"
        ref={box}
        tabIndex={0}
        aria-label="Lines of the log"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PX;
        }}
      >
        {found.map((line) => (
          <li key={`${line.row}/${line.attempt}/${line.line}`} class={line.level}>
            <time dateTime={line.at}>{clock(line.at)}</time>
            <span class="level">{line.level}</span>
            {jobs.length > 1 && <span class="job">{names.get(line.row)}</span>}
            <span>
              <Marked text={line.text} wanted={text} />
              {Object.entries(line.fields).map(([name, value]) => (
                <span key={name} class="extra">
                  {" "}
                  <Marked text={`${name}=${plainly(value)}`} wanted={text} />
                </span>
              ))}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

function plainly(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function said(line: Line): string {
  return [line.text, ...Object.entries(line.fields).map(([name, value]) => `${name}=${plainly(value)}`)].join(" ");
}

function Marked({ text, wanted }: { text: string; wanted: string }) {
  const begin = wanted ? text.toLowerCase().indexOf(wanted) : -1;
  if (begin < 0) return <>{text}</>;
  const end = begin + wanted.length;
  return (
    <>
      {text.slice(0, begin)}
      <mark>{text.slice(begin, end)}</mark>
      {text.slice(end)}
    </>
  );
}

/** Follows the log while the run is open and somebody looks; of the past it is read once. */
function useTail(workspace: string, run: RunShown) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const latest = useRef(run);
  latest.current = run;
  const past = asOf.value;
  const isOpen = run.ended_at === null && !past;
  const tail = useRef<{ of: string; tail: Tail }>(undefined);
  const of = `${workspace}/${run.id}/${past}`;

  useEffect(() => {
    const stop = new AbortController();
    if (tail.current?.of !== of) tail.current = { of, tail: new Tail(workspace, run.id, past) };
    const { tail: reading } = tail.current;
    let timer = 0;
    const look = async () => {
      try {
        if (document.hidden && isOpen) return;
        const found = await reading.look(latest.current, stop.signal);
        if (stop.signal.aborted) return;
        setLines(found);
        setProblem(undefined);
      } catch (error) {
        if (!stop.signal.aborted) setProblem(asProblem(error));
      } finally {
        if (isOpen && !stop.signal.aborted) timer = window.setTimeout(look, TAIL_MS);
      }
    };
    void look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [of, isOpen]);
  return { lines, problem };
}

/**
 * Reads the last lines of a run: at first as many as are shown, and each time after that only what the jobs that were
 * not over then have written since.
 */
class Tail {
  private lines: readonly Line[] = [];
  private readonly last = new Map<number, Line>();
  private readonly isOver = new Set<number>();
  private isBegun = false;

  constructor(
    private readonly workspace: string,
    private readonly id: string,
    private readonly past: string,
  ) {}

  async look(run: RunShown, signal: AbortSignal): Promise<readonly Line[]> {
    const jobs = run.stages.flatMap((stage) => stage.job_runs);
    const begun = jobs.filter((job) => job.attempts.length > 0 && !this.isOver.has(job.row));
    if (!this.isBegun) await this.begin(signal);
    else for (const { row } of begun) await this.goOn(row, signal);
    for (const job of begun) if (job.ended_at !== null) this.isOver.add(job.row);
    return this.lines;
  }

  private async begin(signal: AbortSignal): Promise<void> {
    const { items } = await this.read({ last: true, limit: PAGE }, signal);
    this.take(items);
    this.isBegun = true;
  }

  private async goOn(row: number, signal: AbortSignal): Promise<void> {
    const known = this.last.get(row);
    if (!known) return this.take((await this.read({ row, last: true, limit: PAGE }, signal)).items);
    let cursor: string | null = `${row}.${known.attempt}.${known.line}`;
    while (cursor) {
      const part: { items: readonly Line[]; next: string | null } = await this.read(
        { row, cursor, limit: PAGE },
        signal,
      );
      this.take(part.items);
      cursor = part.next;
    }
  }

  private async read(query: { row?: number; cursor?: string; last?: boolean; limit: number }, signal: AbortSignal) {
    const { workspace, id, past } = this;
    return await read(PATH, { workspace, id }, { ...query, ...(past && { as_of: past }) }, signal);
  }

  private take(lines: readonly Line[]): void {
    for (const line of lines) {
      const known = this.last.get(line.row);
      if (!known || inRow(known, line) < 0) this.last.set(line.row, line);
    }
    if (lines.length > 0) this.lines = [...this.lines, ...lines].sort(inTime).slice(-SHOWN_MAX);
  }
}

function inRow(one: Line, other: Line): number {
  return one.attempt - other.attempt || one.line - other.line;
}

function inTime(one: Line, other: Line): number {
  return Date.parse(one.at) - Date.parse(other.at) || one.row - other.row || inRow(one, other);
}

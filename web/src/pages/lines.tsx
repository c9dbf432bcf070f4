import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Problem, read, type Schemas } from "../api/client";
import { Nothing, Trouble } from "../parts/basics";
import { clock } from "../words";
import type { RunShown } from "./run";

type Line = Schemas["LogLineBody"];

const PATH = "/v1/{workspace}/runs/{id}/log";
const PAGE = 500;
const SHOWN_MAX = 2000;
const TAIL_MS = 2000;

/** The lines that the run's jobs wrote, the last ones of them; while it is open new ones join by themselves. */
export function Lines({ workspace, run }: { workspace: string; run: RunShown }) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const [wanted, setWanted] = useState("");
  const latest = useRef(run);
  latest.current = run;
  const isOpen = run.ended_at === null;
  const box = useRef<HTMLOListElement>(null);

  useEffect(() => {
    const stop = new AbortController();
    const tail = new Tail(workspace, run.id, stop.signal);
    let timer = 0;
    const look = async () => {
      try {
        if (document.hidden && isOpen) return;
        setLines(await tail.look(latest.current));
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
  }, [workspace, run.id, isOpen]);
  useEffect(() => box.current?.scrollTo(0, box.current.scrollHeight), [lines.length]);

  const found = wanted ? lines.filter((line) => line.text.toLowerCase().includes(wanted.toLowerCase())) : lines;
  if (problem) return <Trouble problem={problem} />;
  if (lines.length === 0) return <Nothing title="No lines were written" />;
  return (
    <>
      <label class="choice">
        <span class="unseen">Search the log</span>
        <input
          type="search"
          placeholder="Search the log"
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      </label>
      <ol class="lines" ref={box} tabIndex={0} aria-label="Lines of the log">
        {found.map((line) => (
          <li key={`${line.row}/${line.attempt}/${line.line}`} class={line.level}>
            <time dateTime={line.at}>{clock(line.at)}</time>
            <span class="level">{line.level}</span>
            <span>
              {line.text}
              {Object.entries(line.fields).map(([name, value]) => (
                <span key={name} class="field">
                  {" "}
                  {name}={typeof value === "string" ? value : JSON.stringify(value)}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

/**
 * Reads the last lines of a run: at first all that there are, and each time after that only what the jobs that were not
 * over then have written since.
 */
class Tail {
  private lines: readonly Line[] = [];
  private readonly last = new Map<number, string>();
  private readonly isOver = new Set<number>();
  private isWhole = false;

  constructor(
    private readonly workspace: string,
    private readonly id: string,
    private readonly signal: AbortSignal,
  ) {}

  async look(run: RunShown): Promise<readonly Line[]> {
    const jobs = run.stages.flatMap((stage) => stage.job_runs);
    const begun = jobs.filter((job) => job.attempts.length > 0 && !this.isOver.has(job.row));
    if (this.isWhole) for (const { row } of begun) await this.readOn(row);
    else await this.readAll();
    for (const job of begun) if (job.ended_at !== null) this.isOver.add(job.row);
    return this.lines;
  }

  private async readAll(): Promise<void> {
    this.lines = [];
    await this.readOn();
    this.isWhole = true;
  }

  private async readOn(row?: number): Promise<void> {
    const { workspace, id } = this;
    let cursor = (row && this.last.get(row)) || undefined;
    do {
      const part = await read(PATH, { workspace, id }, { limit: PAGE, row, cursor }, this.signal);
      for (const line of part.items) this.last.set(line.row, `${line.row}.${line.attempt}.${line.line}`);
      if (part.items.length > 0) this.lines = [...this.lines, ...part.items].sort(inOrder).slice(-SHOWN_MAX);
      cursor = part.next ?? undefined;
    } while (cursor);
  }
}

function inOrder(one: Line, other: Line): number {
  return one.row - other.row || one.attempt - other.attempt || one.line - other.line;
}

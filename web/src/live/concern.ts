import type { Happened } from "./stream";

/** What of a row says whether something that happened concerns it. */
export interface Row {
  id: string;
  open_run?: { id: string } | null;
}

/** What is recorded of every run, in the streams of whom it is of. */
const OF_RUNS = new Set([
  "awaited",
  "claimed",
  "joined",
  "minute_drawn",
  "occurrence_dropped",
  "occurrence_queued",
  "occurrences_missed",
  "occurrences_skipped",
  "released",
  "run_closed",
  "run_opened",
]);
const NOTED_MAX = 500;

/**
 * Tells what of all that happens concerns a page. Runs begin and end all the time: of them only those count that are of
 * rows that are shown.
 */
export class Concern {
  private shown = new Set<string>();
  /** What was heard last of others' runs, by stream: the answer that is awaited may show them. */
  private readonly noted = new Map<string, number>();
  private forgotten = 0;

  constructor(
    private readonly concerns: (stream: string) => boolean,
    private readonly isByRow: boolean,
  ) {}

  includes({ stream, position, type }: Happened): boolean {
    if (stream === "") return true;
    if (!this.concerns(stream)) return false;
    if (!this.isByRow || !isOfRun(stream, type) || this.shown.has(idOf(stream))) return true;
    if (position > 0) this.note(stream, position);
    return false;
  }

  /**
   * Takes note of the rows that an answer shows, as they were at a position. Returns a later position at which something
   * happened to them, 0 where nothing is known to have.
   */
  shows(rows: readonly Row[], at: number): number {
    this.shown = new Set(rows.flatMap(({ id, open_run }) => (open_run ? [id, open_run.id] : [id])));
    let missed = this.forgotten > at ? this.forgotten : 0;
    for (const [stream, position] of this.noted) {
      if (position <= at) this.noted.delete(stream);
      else if (this.shown.has(idOf(stream))) missed = Math.max(missed, position);
    }
    return missed;
  }

  private note(stream: string, position: number): void {
    this.noted.delete(stream);
    this.noted.set(stream, position);
    if (this.noted.size <= NOTED_MAX) return;
    const [oldest, last] = this.noted.entries().next().value!;
    this.noted.delete(oldest);
    this.forgotten = last;
  }
}

function isOfRun(stream: string, type: string): boolean {
  return stream.startsWith("run:") || OF_RUNS.has(type.slice(type.indexOf(".") + 1));
}

function idOf(stream: string): string {
  return stream.slice(stream.indexOf(":") + 1);
}

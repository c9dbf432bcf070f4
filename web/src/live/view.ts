import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Asked, type Got, type Problem, read } from "../api/client";
import type { paths } from "../api/schema";
import { asOf } from "../time/moment";
import { Concern, type Row } from "./concern";
import { era, heardUpTo, listen } from "./stream";

const GATHER_MS = 200;
const BUSY_MS = 1000;
/** How far apart what takes long is read again. */
export const UNHURRIED_MS = 5000;

/** How many views still show another moment than the one that is looked at. */
export const catchingUp = signal(0);

export interface View<T> {
  /** What was answered last, also while the answer to another question is awaited. */
  data: T | undefined;
  problem: Problem | undefined;
  reload: () => void;
}

/**
 * Shows what a path answers, and again whenever something happens to a stream that it concerns. Reads are at least a
 * second apart (`apart`), however much happens, and wait while nobody looks at the page. Who looks at the past is shown that
 * moment, in which nothing happens any more. With `rows`, those of an answer, runs of others are of no concern.
 */
export function useView<P extends keyof paths>(
  path: P,
  parts: Record<string, string>,
  query: Partial<NonNullable<Asked<P>>>,
  concerns: (stream: string) => boolean,
  rows?: (answer: Got<P>) => readonly Row[],
  apart = BUSY_MS,
): View<Got<P>> {
  const [data, setData] = useState<Got<P>>();
  const [problem, setProblem] = useState<Problem>();
  const reading = useRef<Reading | null>(null);
  const shown = useRef({ key: "", moment: "" });
  const moment = asOf.value;
  const asked = moment ? { ...query, as_of: moment } : query;
  const key = JSON.stringify([path, parts, asked, era.value]);

  useEffect(() => {
    const caughtUp = shown.current.moment === moment ? () => {} : behind();
    const concern = new Concern(concerns, rows !== undefined);
    const ask = async (heard: number, signal: AbortSignal) => {
      const waiting = heard > 0 ? { wait_for: heard } : {};
      const answer = await read(path, parts, { ...asked, ...waiting }, signal);
      if (signal.aborted) return;
      shown.current = { key, moment };
      setData(answer);
      setProblem(undefined);
      caughtUp();
      const missed = rows ? concern.shows(rows(answer), positionOf(answer)) : 0;
      if (missed > 0) present.hear(missed);
      return (answer as { as_of?: { position?: number } }).as_of?.position;
    };
    const fail = (wrong: Problem) => {
      if (shown.current.key !== key) setData(undefined);
      setProblem(wrong);
      caughtUp();
    };
    const present = (reading.current = new Reading(ask, fail, { apart, heard: moment ? 0 : heardUpTo() }));
    const unlisten = listenUnless(moment, (happened) => {
      if (happened.type !== "progress" && concern.includes(happened)) present.hear(happened.position);
    });
    void present.look();
    return () => {
      present.stop();
      unlisten();
      caughtUp();
    };
  }, [key]);

  return { data, problem, reload: () => void reading.current?.anew() };
}

/** Has a function hear what happens, unless a past moment is looked at. */
export function listenUnless(past: string, listener: Parameters<typeof listen>[0]): () => void {
  return past ? () => undefined : listen(listener);
}

function behind(): () => void {
  let isBehind = true;
  catchingUp.value = catchingUp.peek() + 1;
  return () => {
    if (isBehind) catchingUp.value = catchingUp.peek() - 1;
    isBehind = false;
  };
}

function positionOf(answer: unknown): number {
  return (answer as { as_of: { position: number } }).as_of.position;
}

/** Reads one after another, each at least as new as what was heard before it, and none while nobody looks. */
export class Reading {
  private readonly stopping = new AbortController();
  private timer = 0;
  private readAt = 0;
  private isReading = false;
  private isOld = false;
  private isAnew = false;
  private heard: number;
  /** Up to which position the last answer knows what happened. */
  private known = 0;
  private readonly apart: number;

  constructor(
    /** Reads; returns up to which position the answer knows what happened, where it says so. */
    private readonly ask: (heard: number, signal: AbortSignal) => Promise<number | undefined | void>,
    private readonly fail: (problem: Problem) => void,
    { apart = BUSY_MS, heard = 0 } = {},
  ) {
    this.apart = apart;
    this.heard = heard;
    document.addEventListener("visibilitychange", this.returned);
  }

  private readonly returned = () => this.hear(0);

  hear(position: number): void {
    if (position > 0 && position <= this.known) return;
    this.heard = Math.max(this.heard, position);
    this.isOld = true;
    if (this.timer || this.isReading || document.hidden) return;
    this.timer = window.setTimeout(
      () => this.look(),
      Math.max(GATHER_MS, this.readAt + this.apart - performance.now()),
    );
  }

  /** Reads what is now, not what others were told a moment ago. */
  anew(): Promise<void> {
    this.isAnew = true;
    return this.look();
  }

  async look(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.isReading) {
      this.isOld = true;
      return;
    }
    const heard = this.isAnew ? 0 : this.heard;
    this.isReading = true;
    this.isOld = this.isAnew = false;
    try {
      const known = await this.ask(heard, this.stopping.signal);
      this.known = known ?? 0;
      if (known !== undefined && this.heard > 0 && !this.isAnew) this.isOld = known < this.heard;
    } catch (error) {
      this.wrong(error);
    }
    this.readAt = performance.now();
    this.isReading = false;
    if (this.isOld) this.hear(0);
  }

  stop(): void {
    this.stopping.abort();
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.returned);
    this.timer = -1;
  }

  private wrong(error: unknown): void {
    if (this.stopping.signal.aborted) return;
    const problem = asProblem(error);
    this.known = 0;
    if (problem.code === "view_behind") this.isOld = true;
    else this.fail(problem);
  }
}

/** Tells whether a stream is of one of these kinds. */
export function ofKinds(...kinds: string[]): (stream: string) => boolean {
  return (stream) => kinds.includes(stream.slice(0, stream.indexOf(":")));
}

import type { ComponentChildren } from "preact";

import type { Problem } from "../api/client";
import { long, now, plain, relative, short } from "../words";
import { Icon } from "./icons";
import { NextStep } from "./next_step";

const TONES: Record<string, string> = {
  succeeded: "good",
  active: "good",
  running: "busy",
  queued: "busy",
  waiting: "busy",
  suspended: "busy",
  stopping: "warn",
  failed: "bad",
  invalid: "bad",
  aborted: "warn",
  skipped: "calm",
  inactive: "calm",
  draft: "calm",
};

export function toneOf(state: string): string {
  return TONES[state] ?? "calm";
}

/** A state as a word with a colour; the word alone says it. */
export function State({ state, title, word }: { state: string; title?: string; word?: string }) {
  return (
    <span class={`state ${toneOf(state)}`} title={title}>
      {word ?? plain(state)}
    </span>
  );
}

export function Tag({
  children,
  title,
  tone = "calm",
}: {
  children: ComponentChildren;
  title?: string;
  tone?: string;
}) {
  return (
    <span class={`tag ${tone}`} title={title}>
      {children}
    </span>
  );
}

/** An instant relative to the present, with the whole of it for who wants to know. */
export function Ago({ at }: { at: string }) {
  return (
    <time dateTime={at} title={long(at)}>
      {relative(at, now.value)}
    </time>
  );
}

export function At({ at }: { at: string }) {
  return (
    <time dateTime={at} title={long(at)}>
      {short(at)}
    </time>
  );
}

export function Bar({ share, label }: { share: number; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <span
      class="bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="warn" />
      <div>
        <p>{problem.message}</p>
        {problem.errors.length > 1 && (
          <ul>
            {problem.errors.map((one) => (
              <li key={one.path}>
                <code>{one.path}</code> {one.detail}
              </li>
            ))}
          </ul>
        )}
        <NextStep problem={problem} />
      </div>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Nothing({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="nothing">
      <p>{title}</p>
      {children && <p class="faint">{children}</p>}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="unseen">Loading …</span>
      {[0, 1, 2, 3].map((line) => (
        <span key={line} class="ghost" />
      ))}
    </div>
  );
}

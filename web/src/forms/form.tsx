import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { runAddress } from "../actions/deeds";
import { Would } from "../actions/would";
import { asProblem, type Done, type Preview, Problem, run, tryOut } from "../api/client";
import { listen } from "../live/stream";
import { Reading } from "../live/view";
import { Loading, Trouble } from "../parts/basics";
import { say } from "../parts/toast";
import { type Draft, DraftContext, useDraft, type Values } from "./draft";

const TYPING_MS = 300;

export interface Tried {
  preview: Preview | undefined;
  problem: Problem | undefined;
  /** Whether what is shown is about what was asked before. */
  isOld: boolean;
}

/**
 * Asks what a command would do with these fields, a moment after they were changed, and again when something happens;
 * `fields` that are `undefined` are not asked about.
 */
export function useDryRun(workspace: string, command: string, fields: unknown): Tried {
  const [tried, setTried] = useState<Tried & { of: string }>({
    preview: undefined,
    problem: undefined,
    isOld: true,
    of: "",
  });
  const of = JSON.stringify([command, fields]);

  useEffect(() => {
    if (fields === undefined) return;
    const reading = new Reading(
      async (_, signal) => {
        const preview = await tryOut(workspace, command, fields, signal);
        setTried({ preview, problem: undefined, isOld: false, of });
      },
      (problem) => setTried(({ preview }) => ({ preview, problem, isOld: false, of })),
    );
    const timer = setTimeout(() => reading.look(), TYPING_MS);
    const unlisten = listen(({ type, position }) => type !== "progress" && reading.hear(position));
    return () => {
      clearTimeout(timer);
      reading.stop();
      unlisten();
    };
  }, [workspace, of]);

  return { ...tried, isOld: tried.of !== of };
}

const shown = signal<(() => ComponentChildren) | null>(null);

/** Opens a form over the page. */
export function openForm(show: () => ComponentChildren): void {
  shown.value = show;
}

export function closeForm(): void {
  shown.value = null;
}

/** Where the open form stands. */
export function FormHost() {
  return <>{shown.value?.()}</>;
}

/** A sheet over the page; Escape closes it, and asks first where something would be lost. */
export function Sheet(props: { title: string; isChanged: boolean; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isLeaving, setLeaving] = useState(false);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const leave = (event: Event) => {
    event.preventDefault();
    if (props.isChanged) setLeaving(true);
    else dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="sheet" onCancel={leave} onClose={closeForm}>
      <div class="sheet-title">
        <h2 id="sheet">{props.title}</h2>
        <button type="button" class="quiet" onClick={leave}>
          Close
        </button>
      </div>
      {isLeaving && (
        <div class="notice" role="alert">
          <p>What you filled in is not saved.</p>
          <button type="button" onClick={() => setLeaving(false)}>
            Go on
          </button>
          <button type="button" class="harsh" onClick={() => dialog.current?.close()}>
            Drop it
          </button>
        </div>
      )}
      {props.children}
    </dialog>
  );
}

interface FormProps {
  workspace: string;
  title: string;
  command: string;
  begin: Values;
  /** Makes the command's fields of what was filled in. */
  fields?: (values: Values) => Values;
  /** What the button says, and what is said when it is done. */
  label: string;
  done: string;
  children: (draft: Draft, tried: Tried) => ComponentChildren;
  whenDone?: (done: Done) => void;
}

/** A form for one command, with what it would do shown while it is filled in. */
export function CommandForm(props: FormProps) {
  const { workspace, command } = props;
  const { values, isChanged, told } = useDraft(props.begin);
  const fields = (props.fields ?? ((all: Values) => all))(values);
  const tried = useDryRun(workspace, command, fields);
  const [failed, setFailed] = useState<{ problem: Problem; of: string }>();
  const [isSent, setSent] = useState(false);
  const [isRunning, setRunning] = useState(false);
  const of = JSON.stringify(fields);
  const problem = failed?.of === of ? failed.problem : tried.problem;
  const draft = told(problem, { all: isSent });
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (isSent && problem) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [isSent]);

  const save = async (event: Event) => {
    event.preventDefault();
    setSent(true);
    setRunning(true);
    try {
      const done = await run(workspace, command, fields);
      closeForm();
      say(
        <>
          {props.done}. {done.run && <a href={runAddress(workspace, done.run)}>Show the run</a>}
        </>,
      );
      props.whenDone?.(done);
    } catch (error) {
      setFailed({ problem: asProblem(error), of });
      setRunning(false);
    }
  };

  return (
    <Sheet title={props.title} isChanged={isChanged}>
      <DraftContext.Provider value={draft}>
        <form ref={form} class="form" onSubmit={save} noValidate>
          <div class="parts">{props.children(draft, tried)}</div>
          <aside class="foreseen" aria-label="What it would do" aria-live="polite">
            <Foreseen draft={draft} tried={tried} problem={problem} isSent={isSent} />
          </aside>
          <div class="buttons">
            <button type="submit" class="main" disabled={isRunning}>
              {props.label}
            </button>
          </div>
        </form>
      </DraftContext.Provider>
    </Sheet>
  );
}

/** What the command would do, or what is missing until that can be said. */
export function Foreseen(props: { draft: Draft; tried: Tried; problem: Problem | undefined; isSent: boolean }) {
  const { draft, tried, problem, isSent } = props;
  const rest = draft.rest();
  if (problem && problem.errors.length > 0) {
    return (
      <>
        {rest.length > 0 && (isSent || draft.isChanged) && (
          <Trouble problem={new Problem(problem.status, problem.code, rest.map((one) => one.detail).join(" "))} />
        )}
        <p class="faint">When everything is filled in, this is where you see what it would do.</p>
      </>
    );
  }
  if (problem) return <Trouble problem={problem} />;
  if (!tried.preview) return <Loading />;
  return (
    <div class={tried.isOld ? "old" : undefined}>
      <Would preview={tried.preview} />
    </div>
  );
}

/** Fields that belong together. */
export function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>{title}</h3>
      <div class="fields">{children}</div>
    </section>
  );
}

import { signal } from "@preact/signals";
import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { runAddress } from "../actions/deeds";
import { asProblem, type Done, type Fault, isUnknown, type Order, type Problem, run } from "../api/client";
import { say } from "../parts/toast";
import { hold, letGo, place } from "../router";
import { asOf, PAST } from "../time/moment";
import { capital } from "../words";
import { type Draft, DraftContext, incomplete, useDraft, type Values } from "./draft";
import { type Tried, useTrial } from "./dry_run";
import { Foreseen, spoken } from "./foreseen";
import { type Newest, Overtaken } from "./overtaken";

const shown = signal<(() => ComponentChildren) | null>(null);
let opener: Element | null = null;

/** Opens a form over the page. */
export function openForm(show: () => ComponentChildren): void {
  if (asOf.value) return say(`That is not possible: ${PAST}.`);
  opener = document.activeElement;
  shown.value = show;
}

/** Takes the form away; the keyboard is again where it was opened. */
export function closeForm(): void {
  shown.value = null;
  const back = opener;
  setTimeout(() => back instanceof HTMLElement && back.isConnected && back.focus());
  opener = null;
}

/** Where the open form stands; another page takes it away. */
export function FormHost() {
  const { workspace, page } = place.value;
  useEffect(() => closeForm, [workspace, page]);
  return <>{shown.value?.()}</>;
}

interface SheetProps {
  title: string;
  isChanged: boolean;
  isDone?: boolean;
  /** What is lost when it is closed. */
  loss?: string;
  children: ComponentChildren;
}

/** A sheet over the page; Escape closes it, Back leaves it, and either asks first where something would be lost. */
export function Sheet(props: SheetProps) {
  const { isChanged, isDone = false } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const own = useRef(shown.value);
  const [leaving, setLeaving] = useState<"sheet" | "page">();
  useLayoutEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("form :is(input, select, textarea)")?.focus();
  }, []);
  useLayoutEffect(() => {
    if (isDone) dialog.current?.close();
  }, [isDone]);
  useEffect(() => {
    if (!isChanged || isDone) return;
    const stay = (event: Event) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, [isChanged, isDone]);
  useLayoutEffect(() => (isChanged && !isDone ? hold(() => setLeaving("page")) : undefined), [isChanged, isDone]);

  const leave = (event: Event) => {
    event.preventDefault();
    if (isChanged) setLeaving("sheet");
    else dialog.current?.close();
  };
  const drop = () => {
    if (leaving === "page") letGo();
    dialog.current?.close();
  };
  // A browser tells this later: another form may be open by then.
  const closed = () => shown.value === own.current && closeForm();
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="sheet"
      onKeyDown={(event) => event.key === "Escape" && leave(event)}
      onCancel={leave}
      onClose={closed}
    >
      <div class="sheet-title">
        <h2 id="sheet">{props.title}</h2>
        <button type="button" class="quiet" onClick={leave}>
          Close
        </button>
      </div>
      {leaving && isChanged && (
        <Leaving
          loss={props.loss ?? "What you filled in is not saved."}
          stay={() => setLeaving(undefined)}
          drop={drop}
        />
      )}
      {props.children}
    </dialog>
  );
}

function Leaving({ loss, stay, drop }: { loss: string; stay: () => void; drop: () => void }) {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <div class="notice" role="alertdialog" aria-label="Close without saving?">
      <p>{loss}</p>
      <button type="button" ref={first} onClick={stay}>
        Go on
      </button>
      <button type="button" class="harsh" onClick={drop}>
        Drop it
      </button>
    </div>
  );
}

interface FormProps {
  workspace: string;
  title: string;
  /** The one command of the form, with the fields that `fields` makes of what was filled in. */
  command?: string;
  fields?: (values: Values) => Values;
  /** Or the commands, all of which are done or none; without one there is nothing to save yet. */
  orders?: (values: Values, version: number | undefined, opened: Values) => readonly Order[];
  begin: Values;
  /** Says what is not filled in; as long as that is something, the service is not asked. */
  lacks?: (values: Values) => readonly Fault[];
  /** The version that was opened, and how the newest is read when somebody else saved meanwhile. */
  version?: number;
  reread?: () => Promise<Newest>;
  /** What the button says, and what is said when it is done. */
  label: string;
  done: ComponentChildren;
  children: (draft: Draft, tried: Tried) => ComponentChildren;
  /** Shows what the commands would do, where that is more than usual. */
  foreseen?: (tried: Tried, draft: Draft) => ComponentChildren;
  whenDone?: (done: Done) => void;
}

/** A form for commands, with what they would do shown while it is filled in. */
export function CommandForm(props: FormProps) {
  const { workspace } = props;
  const { values, isChanged, first, begun, restart, told } = useDraft(props.begin);
  const [version, setVersion] = useState(props.version);
  const [failed, setFailed] = useState<{ problem: Problem; of: string }>();
  const [tries, setTries] = useState(0);
  const [isRunning, setRunning] = useState(false);
  const [isDone, setDone] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const lacking = incomplete(props.lacks?.(values) ?? []);
  const orders = lacking ? [] : ordersOf(props, values, version, first);
  const of = JSON.stringify(orders);
  const isEmpty = !lacking && orders.length === 0;
  const tried = useTrial(workspace, orders.length === 0 || isDone ? undefined : orders);
  const problem = lacking ?? (failed?.of === of ? failed.problem : isEmpty ? undefined : tried.problem);
  const draft = told(problem, { all: tries > 0 });
  const isStale = problem?.code === "stale" && props.reread !== undefined && !(tried.isOld && !failed);

  useEffect(() => {
    if (tries === 0 || !problem || isRunning) return;
    draft.faults().find((one) => one.focus)?.focus!();
  }, [tries, isRunning]);

  const save = async (event: Event) => {
    event.preventDefault();
    setTries(tries + 1);
    if (orders.length === 0 || (!tried.isOld && tried.problem && tried.problem.errors.length > 0)) return;
    setRunning(true);
    try {
      const done = await run(workspace, orders);
      setDone(true);
      say(
        <>
          {props.done}. {done.run && <a href={runAddress(workspace, done.run)}>Show the run</a>}
        </>,
      );
      props.whenDone?.(done);
    } catch (error) {
      const wrong = asProblem(error);
      if (!form.current) say(unheard(props.title, wrong));
      setFailed({ problem: wrong, of });
    }
    setRunning(false);
  };

  return (
    <Sheet title={props.title} isChanged={isChanged} isDone={isDone}>
      <DraftContext.Provider value={draft}>
        <form ref={form} class="form" onSubmit={save} noValidate>
          <div class="parts">
            {isStale && (
              <Overtaken
                reread={props.reread!}
                least={Number(problem.more["version"] ?? 0)}
                first={first}
                mine={values}
                goOn={(newest, values) => {
                  restart(newest.values, values);
                  setFailed(undefined);
                  setVersion(newest.version);
                }}
              />
            )}
            <Fragment key={begun}>{props.children(draft, tried)}</Fragment>
          </div>
          <aside class="foreseen" aria-label="What it would do" tabIndex={0}>
            {isStale ? (
              <p class="faint">Decide first how to go on with what somebody else saved.</p>
            ) : (
              <Foreseen draft={draft} tried={tried} problem={problem} isSent={tries > 0} isEmpty={isEmpty}>
                {props.foreseen?.(tried, draft)}
              </Foreseen>
            )}
          </aside>
          <p class="unseen" role="status">
            {spoken(tried, problem)}
          </p>
          <div class="buttons">
            <button type="submit" class="main" disabled={isRunning || isStale || isEmpty}>
              {props.label}
            </button>
          </div>
        </form>
      </DraftContext.Provider>
    </Sheet>
  );
}

/** Says what became of what a form sent and the service refused, to who has closed it meanwhile. */
export function unheard(title: string, problem: Problem): string {
  const { message, errors } = problem;
  const ending = isUnknown(problem) ? "it is not known whether that was saved" : "nothing was saved";
  return `${title}: ${ending}. ${capital(errors.map((one) => one.detail).join("; ") || message)}`;
}

function ordersOf({ command, fields, orders }: FormProps, values: Values, ifMatch: number | undefined, first: Values) {
  if (orders) return orders(values, ifMatch, first);
  return command === undefined ? [] : [{ command, data: fields ? fields(values) : values, ifMatch }];
}

/** Fields that belong together. */
export function Part({ title, hint, children }: { title: string; hint?: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>{title}</h3>
      {hint && <p class="faint">{hint}</p>}
      <div class="fields">{children}</div>
    </section>
  );
}

/** Fields that are seldom needed, folded away until somebody wants them or one of them is wrong. */
export function Folded({ title, isOpen, children }: { title: string; isOpen?: boolean; children: ComponentChildren }) {
  return (
    <details class="part" open={isOpen}>
      <summary>{title}</summary>
      <div class="fields">{children}</div>
    </details>
  );
}

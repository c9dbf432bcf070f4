import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Would } from "../actions/would";
import { asProblem, type Done, type Fault, type Order, Problem, run, type Schemas } from "../api/client";
import { type Draft, DraftContext, incomplete, useDraft, type Values } from "../forms/draft";
import { type Tried, useTrial } from "../forms/dry_run";
import { Sheet, unheard } from "../forms/form";
import { type Newest, Overtaken } from "../forms/overtaken";
import { Loading, Trouble } from "../parts/basics";
import { say } from "../parts/toast";
import { capital, count, plain } from "../words";

type Warned = Schemas["Warned"];

/** One page of what is filled in. */
export interface Step {
  title: string;
  /** Which fields are on it, by the first parts of their paths. */
  paths: readonly string[];
  show: (draft: Draft, outlook: Outlook) => ComponentChildren;
}

/** What is foreseen of what is filled in. */
export interface Outlook {
  /** What it would do when it is active, once nothing speaks against that. */
  active: Tried;
  /** What it would do when it is saved as it is. */
  saved: Tried;
  /** What keeps it from being activated. */
  prevented: readonly Warned[];
}

/** The commands that a button sends, all of which are done or none. */
export type Sends = (values: Values, version: number | undefined) => readonly Order[];

interface WizardProps {
  workspace: string;
  title: string;
  begin: Values;
  steps: readonly Step[];
  save: Sends;
  /** Not there for what is active already: to save it is to change what runs. */
  activate: Sends | undefined;
  /** Says what is not filled in without which nothing can be saved. */
  lacks: (values: Values) => readonly Fault[];
  version?: number;
  reread?: () => Promise<Newest>;
  /** Which fields refusals are about that name none, by their codes. */
  places: Readonly<Record<string, string>>;
  said: { saved: string; activated: string };
  whenDone?: (done: Done) => void;
}

const ACTIVATION = "activation";

/**
 * A definition that is filled in step by step, in any order, and left half done if need be. What it would mean is shown
 * beside it, and whatever is wrong leads to the field in question.
 */
export function Wizard(props: WizardProps) {
  const { workspace, steps } = props;
  const { values, isChanged, first, begun, restart, told } = useDraft(props.begin);
  const [version, setVersion] = useState(props.version);
  const [at, setAt] = useState(0);
  const [wanted, setWanted] = useState<{ path: string }>();
  const [failed, setFailed] = useState<{ problem: Problem; of: string }>();
  const [isTried, setTried] = useState(false);
  const [isRunning, setRunning] = useState(false);
  const [isDone, setDone] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const saving = props.save(values, version);
  const of = JSON.stringify(saving);
  const lacking = incomplete(props.lacks(values));
  const saved = useTrial(workspace, lacking || isDone ? undefined : saving);
  const prevented = saved.preview?.warnings.filter((one) => one.prevents === ACTIVATION) ?? [];
  const refused = located(lacking ?? (failed?.of === of ? failed.problem : saved.problem), props.places);
  const problem = besides(refused, prevented);
  const isReady = !problem && !saved.isOld && prevented.length === 0 && saved.preview !== undefined;
  const active = useTrial(workspace, isReady && !isDone ? props.activate?.(values, version) : undefined);
  const outlook = { saved, prevented, active: props.activate ? active : saved };

  const faults = [...(problem?.errors ?? []), ...(lacking ? [] : prevented.map(asFault))];
  const draft = told(faults.length > 0 ? new Problem(422, "faults", "", faults) : undefined, { all: isTried });
  const isStale = problem?.code === "stale" && props.reread !== undefined;
  const stepOf = (path: string) => steps.findIndex((step) => step.paths.some((one) => isWithin(path, one)));

  const lead = (path: string) => {
    const step = stepOf(path);
    if (step >= 0) setAt(step);
    setTried(true);
    setWanted({ path });
  };
  useEffect(() => {
    if (wanted)
      draft
        .faults()
        .find((one) => one.path === wanted.path)
        ?.focus?.();
  }, [wanted, at]);

  const send = async (orders: readonly Order[], against: readonly Fault[], text: string) => {
    setTried(true);
    if (against[0]) return lead(against[0].path);
    setRunning(true);
    try {
      const done = await run(workspace, orders);
      setDone(true);
      say(text + missing(done));
      props.whenDone?.(done);
    } catch (error) {
      const wrong = located(asProblem(error), props.places)!;
      if (!form.current) say(unheard(props.title, wrong));
      setFailed({ problem: wrong, of });
      if (wrong.errors[0]) lead(wrong.errors[0].path);
    }
    setRunning(false);
  };
  const save = () => send(saving, problem?.errors ?? [], props.said.saved);
  const activate = () => send(props.activate!(values, version), faults, props.said.activated);
  const isLast = at === steps.length - 1;
  const submit = (event: Event) => {
    event.preventDefault();
    if (!isLast) setAt(at + 1);
    else void (props.activate ? activate() : save());
  };

  return (
    <Sheet title={props.title} isChanged={isChanged} isDone={isDone}>
      <DraftContext.Provider value={draft}>
        <form ref={form} class="form wizard" onSubmit={submit} noValidate>
          <Steps steps={steps} at={at} go={setAt} faults={faults} stepOf={stepOf} />
          <div class="parts" key={at}>
            {isStale && (
              <Overtaken
                reread={props.reread!}
                least={Number(problem.more["version"] ?? 0)}
                first={first}
                mine={values}
                goOn={(newest, values) => {
                  restart(newest.values, values);
                  setVersion(newest.version);
                }}
              />
            )}
            <Fragment key={begun}>{steps[at]!.show(draft, outlook)}</Fragment>
          </div>
          <aside class="foreseen" aria-label="What it would do" tabIndex={0}>
            {!isStale && (
              <Ahead
                problem={problem}
                prevented={lacking ? [] : prevented}
                tried={outlook.active}
                titleOf={(path) => steps[stepOf(path)]?.title}
                lead={lead}
              />
            )}
          </aside>
          <p class="unseen" role="status">
            {faults.length > 0 ? `${count(faults.length, "thing")} to do before it can be active` : ""}
          </p>
          <div class="buttons">
            <button type="button" disabled={at === 0} onClick={() => setAt(at - 1)}>
              Back
            </button>
            <button type={isLast ? "button" : "submit"} disabled={isLast}>
              Next
            </button>
            <span class="gap" />
            <SendButton
              label="Save"
              isMain={!props.activate}
              isSubmit={isLast && !props.activate}
              off={isRunning || isStale}
              send={save}
            />
            {props.activate && (
              <SendButton label="Activate" isMain isSubmit={isLast} off={isRunning || isStale} send={activate} />
            )}
          </div>
        </form>
      </DraftContext.Provider>
    </Sheet>
  );
}

interface SendProps {
  label: string;
  isMain: boolean;
  /** Whether Enter in a field presses it. */
  isSubmit: boolean;
  off: boolean;
  send: () => Promise<void>;
}

function SendButton({ label, isMain, isSubmit, off, send }: SendProps) {
  return (
    <button
      type={isSubmit ? "submit" : "button"}
      class={isMain ? "main" : undefined}
      disabled={off}
      onClick={isSubmit ? undefined : () => void send()}
    >
      {label}
    </button>
  );
}

interface StepsProps {
  steps: readonly Step[];
  at: number;
  go: (step: number) => void;
  faults: readonly Fault[];
  stepOf: (path: string) => number;
}

function Steps({ steps, at, go, faults, stepOf }: StepsProps) {
  return (
    <ol class="wizard-steps" aria-label="Steps">
      {steps.map((step, place) => {
        const open = faults.filter((fault) => stepOf(fault.path) === place).length;
        return (
          <li key={step.title}>
            <button type="button" aria-current={place === at ? "step" : undefined} onClick={() => go(place)}>
              <span class="place-number" aria-hidden="true">
                {place + 1}
              </span>
              <span>
                {step.title}
                <small>{open === 0 ? "complete" : `${open} to do`}</small>
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

interface AheadProps {
  problem: Problem | undefined;
  prevented: readonly Warned[];
  tried: Tried;
  titleOf: (path: string) => string | undefined;
  lead: (path: string) => void;
}

/** What it would do; until that can be said, what is missing, each a way to where it is filled in. */
function Ahead({ problem, prevented, tried, titleOf, lead }: AheadProps) {
  const ways = { titleOf, lead };
  if (problem && problem.errors.length === 0) return <Trouble problem={problem} />;
  if (problem || prevented.length > 0) {
    return (
      <>
        {problem && <Ways title="Before it can be saved" faults={problem.errors} {...ways} />}
        {prevented.length > 0 && <Ways title="Before it can be activated" faults={prevented.map(asFault)} {...ways} />}
        {!problem && <p class="faint">It can be saved as it is, and completed later.</p>}
      </>
    );
  }
  if (!tried.preview) return <Loading />;
  return (
    <div class={tried.isOld ? "old" : undefined}>
      <Would preview={{ ...tried.preview, warnings: distinct(tried.preview.warnings) }} />
    </div>
  );
}

interface WaysProps extends Pick<AheadProps, "titleOf" | "lead"> {
  title: string;
  faults: readonly Fault[];
}

function Ways({ title, faults, titleOf, lead }: WaysProps) {
  return (
    <>
      <h3>{title}</h3>
      <ul class="ways-on">
        {faults.map((fault) => (
          <li key={`${fault.path} ${fault.detail}`}>
            <button type="button" onClick={() => lead(fault.path)}>
              {titleOf(fault.path) && (
                <strong>
                  {titleOf(fault.path)}
                  {setting(fault.path)}
                </strong>
              )}
              <span>{capital(fault.detail)}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Leaves out of a refusal what is told of the activation anyway; without the rest there is none. */
function besides(refused: Problem | undefined, prevented: readonly Warned[]): Problem | undefined {
  if (!refused || refused.errors.length === 0) return refused;
  const isTold = (fault: Fault) => prevented.some((one) => one.path === fault.path && one.detail === fault.detail);
  const errors = refused.errors.filter((fault) => !isTold(fault));
  if (errors.length === 0) return undefined;
  return new Problem(refused.status, refused.code, refused.message, errors, refused.more);
}

/** Names the setting that a fault of a configuration is about. */
function setting(path: string): string {
  const [first, ...rest] = path.split(".");
  return first === "config" && rest.length > 0 ? `: ${plain(rest.join(" "))}` : "";
}

/** What was told of a draft is told again when it is activated. */
function distinct(warnings: readonly Warned[]): Warned[] {
  return [...new Map(warnings.map((one) => [one.detail, one])).values()];
}

function asFault(one: Warned): Fault {
  return { path: one.path ?? "", detail: one.detail };
}

function missing(done: Done): string {
  const left = done.warnings.filter((one) => one.prevents === ACTIVATION).length;
  return left > 0 ? `. ${count(left, "thing")} to do before it can be activated.` : ".";
}

/** Gives a refusal that is about one field the path of that field. */
function located(problem: Problem | undefined, places: Readonly<Record<string, string>>): Problem | undefined {
  const path = problem && places[problem.code];
  if (!problem || path === undefined || problem.errors.length > 0) return problem;
  return new Problem(problem.status, problem.code, problem.message, [{ path, detail: problem.message }], problem.more);
}

function isWithin(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}.`);
}

import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Got, type Problem, read } from "../api/client";
import { Loading, State, Tag, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { place, setQuery, to } from "../router";
import { hasRole, HISTORIANS, me } from "../session";
import { localTime } from "../time/bar";
import { asOf } from "../time/moment";
import { capital, exact, exactUtc, long, now, plain, short } from "../words";
import { runAddress } from "./deeds";
import "./why.css";

const PATH = "/v1/{workspace}/why";
const TYPING_MS = 300;
/** What is ever due by itself. */
const DUE = ["schedule", "group", "import", "export", "partner", "feed"];

type Answer = Got<typeof PATH>;
interface Owner {
  kind: string;
  id: string;
}

/**
 * Tells why an owner did or did not run, at an instant that the reader picks; at first at this one, or now. What is
 * asked stands in the address, so the answer can be shared: `why=schedule/nightly&at=2026-12-01T20:00:00Z`.
 */
export function askWhy(owner: Owner, at = ""): void {
  setQuery({ why: `${owner.kind}/${owner.id}`, at });
}

/** Returns where it is told why, on the page that is looked at. */
export function whyAddress({ kind, id }: Owner, at: string): string {
  const { workspace, page, id: shown, query } = place.value;
  return to(workspace, page, shown, { ...Object.fromEntries(query), why: `${kind}/${id}`, at });
}

/** Returns why nothing can be told of a kind of thing. */
export function notAsked(kind: string): string | undefined {
  return DUE.includes(kind) ? undefined : "it is never due by itself: ask of a schedule that runs it";
}

export function WhyDialog() {
  const { workspace, query } = place.value;
  const [kind = "", id = ""] = query.get("why")?.split("/", 2) ?? [];
  return id === "" ? null : <Panel key={`${workspace}/${kind}/${id}`} workspace={workspace} owner={{ kind, id }} />;
}

function Panel({ workspace, owner }: { workspace: string; owner: Owner }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [opened] = useState(() => now.peek());
  const given = Date.parse(place.value.query.get("at") ?? "");
  const at = Number.isNaN(given) ? opened : given;
  const isToCome = at > now.value;
  const { answer, problem } = useWhy(workspace, owner, at);
  useEffect(() => dialog.current?.showModal(), []);

  return (
    <dialog ref={dialog} class="why" aria-labelledby="why" onClose={leave}>
      <div class="why-title">
        <h2 id="why">Why did {owner.id} run, or not?</h2>
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <label class="why-at">
        At this instant, as your clock shows it
        <input
          type="datetime-local"
          step="1"
          value={localTime(at)}
          max={isToCome ? undefined : localTime(now.value)}
          onInput={({ currentTarget: { value } }) =>
            value && setQuery({ at: new Date(value).toISOString().replace(".000Z", "Z") }, { step: false })
          }
        />
        <small>{exactUtc(at)}</small>
      </label>
      {isToCome && <p class="notice">This moment has not come yet, so nothing is recorded of it. At present:</p>}
      <div aria-live="polite">
        {problem ? (
          <Trouble problem={problem} />
        ) : answer ? (
          <Told workspace={workspace} answer={answer} />
        ) : (
          <Loading />
        )}
      </div>
      {answer && !problem && <Facts workspace={workspace} answer={answer} isPast={!isToCome} />}
    </dialog>
  );
}

function leave(): void {
  if (place.value.query.has("why")) setQuery({ why: "", at: "" }, { step: false });
}

/** Asks a little after the last change, and heeds the answer to the last question alone. */
function useWhy(workspace: string, owner: Owner, at: number) {
  const [answer, setAnswer] = useState<Answer>();
  const [problem, setProblem] = useState<Problem>();
  const past = asOf.value;
  useEffect(() => {
    const stop = new AbortController();
    const query = {
      owner: `${owner.kind}/${owner.id}`,
      at: new Date(Math.min(at, now.peek())).toISOString(),
      ...(past && { as_of: past }),
    };
    const ask = async () => {
      try {
        const found = await read(PATH, { workspace }, query, stop.signal);
        if (stop.signal.aborted) return;
        setAnswer(found);
        setProblem(undefined);
      } catch (error) {
        if (!stop.signal.aborted) setProblem(asProblem(error));
      }
    };
    const timer = setTimeout(ask, answer || problem ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [at, past]);
  return { answer, problem };
}

const STATES: Record<string, string> = { ran: "succeeded", missed: "failed", unanswered: "waiting" };

function Told({ workspace, answer }: { workspace: string; answer: Answer }) {
  return (
    <div class="answered">
      <p class="lead">
        <State state={STATES[answer.verdict] ?? answer.verdict} word={plain(answer.verdict)} /> {answer.sentence}
      </p>
      <dl class="facts">
        {answer.due && (
          <div>
            <dt>{answer.moments > 1 ? `${answer.moments} moments, from` : "Due"}</dt>
            <dd title={exactUtc(answer.due)}>{exact(answer.due)}</dd>
          </div>
        )}
        {answer.cadence_version !== null && (
          <div>
            <dt>Cadence</dt>
            <dd>version {answer.cadence_version}</dd>
          </div>
        )}
        {answer.next_due && (
          <div>
            <dt>Next due after it</dt>
            <dd title={exactUtc(answer.next_due)}>{exact(answer.next_due)}</dd>
          </div>
        )}
        {answer.run && (
          <div>
            <dt>Run</dt>
            <dd>
              <a href={runAddress(workspace, answer.run)}>Show the run</a>
            </dd>
          </div>
        )}
      </dl>
    </div>
  );
}

type Fact = Answer["facts"][number];

/** Tells whether the history shows a fact to the reader: one of the whole deployment to few. */
function isShown(fact: Fact, workspace: string): boolean {
  return hasRole(...HISTORIANS) && (fact.workspace === workspace || me.value!.workspaces.includes("*"));
}

function placeOf(fact: Fact, workspace: string): string {
  const where = fact.workspace === workspace ? "" : "all";
  return to(workspace, "history", "", { where, position: String(fact.position) });
}

/** The facts that lead to the verdict, in the order in which they do; each leads to its place in the history. */
function Facts({ workspace, answer, isPast }: { workspace: string; answer: Answer; isPast: boolean }) {
  return (
    <>
      <h3>The facts that lead to it</h3>
      <ol class="why-facts">
        {answer.facts.map((fact) => (
          <li key={fact.position}>
            <Tag tone={fact.about === "answer" ? "mark" : "calm"}>{capital(plain(fact.about))}</Tag>
            <span class="sentence">{fact.sentence}</span>
            <small>
              <time dateTime={fact.at} title={long(fact.at)}>
                {short(fact.at)}
              </time>{" "}
              ·{" "}
              {isShown(fact, workspace) ? (
                <a href={placeOf(fact, workspace)}>position {fact.position.toLocaleString("en")}</a>
              ) : (
                `position ${fact.position.toLocaleString("en")}`
              )}
              {fact.workspace !== workspace && " · of the whole deployment"}
            </small>
          </li>
        ))}
      </ol>
      {isPast && (
        <p class="faint note">
          <Icon name="clock" /> The same question about the same past has the same answer for ever.
        </p>
      )}
    </>
  );
}

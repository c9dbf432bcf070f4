import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, isUnknown, type Problem, run } from "../api/client";
import { DraftContext, useDraft } from "../forms/draft";
import { useDryRun } from "../forms/dry_run";
import { CheckField, TextField } from "../forms/fields";
import { UntilField } from "../forms/until";
import { Loading, Trouble } from "../parts/basics";
import { say } from "../parts/toast";
import { asOf, PAST } from "../time/moment";
import { hasRole, me } from "../session";
import { type Asks, type Deed, runAddress } from "./deeds";
import { Would } from "./would";

const asked = signal<{ workspace: string; deed: Deed } | null>(null);

/** Shows what a command would do, and runs it if that is what is wanted. */
export function ask(workspace: string, deed: Deed): void {
  if (asOf.value) say(`${deed.label} is not possible: ${PAST}.`);
  else asked.value = { workspace, deed };
}

export function AskDialog() {
  const present = asked.value;
  return present && <Asking key={present.deed.title} {...present} />;
}

function Asking({ workspace, deed }: { workspace: string; deed: Deed }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { values, told } = useDraft(deed.asks === "activation" ? { run_if_behind: true } : {});
  const [failed, setFailed] = useState<Problem>();
  const [isRunning, setRunning] = useState(false);

  const fields = { ...deed.fields, ...values };
  const { preview, problem, isOld } = useDryRun(workspace, deed.command, fields);
  const wrong = failed ?? problem;

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => setFailed(undefined), [JSON.stringify(values)]);

  const confirm = async (event: Event) => {
    event.preventDefault();
    setRunning(true);
    try {
      const done = await run(workspace, [{ command: deed.command, data: fields }]);
      dialog.current?.close();
      say(
        <>
          {deed.done}: {deed.title.replace(/\?$/, "")}.{" "}
          {done.run && <a href={runAddress(workspace, done.run)}>Show the run</a>}
        </>,
      );
    } catch (error) {
      const wrong = asProblem(error);
      if (!dialog.current) say(`${deed.title.replace(/\?$/, "")}: ${wrong.message}`);
      setFailed(wrong);
      setRunning(false);
    }
  };

  return (
    <dialog ref={dialog} aria-labelledby="asked" onClose={() => (asked.value = null)}>
      <form onSubmit={confirm} noValidate>
        <h2 id="asked">{deed.title}</h2>
        {deed.asks && (
          <DraftContext.Provider value={told(wrong, { all: true })}>
            <div class="fields">
              <Details of={deed.asks} />
            </div>
          </DraftContext.Provider>
        )}
        {wrong && !isShownBeside(wrong, deed.asks) ? (
          <Trouble problem={wrong} />
        ) : preview ? (
          <div class={wrong || isOld ? "old" : undefined}>
            <Would preview={preview} />
          </div>
        ) : (
          <Loading />
        )}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={deed.harsh ? "harsh" : "main"}
            disabled={isRunning || (!isUnknown(failed) && (!preview || isOld || !!wrong))}
          >
            {deed.label.replace(" …", "")}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** What may be said besides. */
function Details({ of }: { of: Asks }) {
  if (of === "activation") {
    return (
      <CheckField
        path="run_if_behind"
        label="Run at once if it is behind"
        hint="Otherwise it counts from now, and waits a whole interval."
      />
    );
  }
  const everywhere = hasRole("administrator") && me.value?.workspaces.includes("*");
  return (
    <>
      <TextField path="note" label="Note" hint="Shown to everybody while it lasts." />
      {of !== "release" && <UntilField path="until" label="Until" />}
      {of === "hold" && everywhere && <CheckField path="everywhere" label="In every workspace" />}
    </>
  );
}

function isShownBeside({ errors }: Problem, asks: Asks | undefined): boolean {
  return asks !== undefined && errors.length > 0 && errors.every((one) => ["note", "until"].includes(one.path));
}

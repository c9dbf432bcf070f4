import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Preview, type Problem, run, tryOut } from "../api/client";
import { listen } from "../live/stream";
import { Reading } from "../live/view";
import { Loading, Trouble } from "../parts/basics";
import { say } from "../parts/toast";
import { type Deed, runAddress } from "./deeds";
import { Would } from "./would";

const asked = signal<{ workspace: string; deed: Deed } | null>(null);

/** Shows what a command would do, and runs it if that is what is wanted. */
export function ask(workspace: string, deed: Deed): void {
  asked.value = { workspace, deed };
}

export function AskDialog() {
  const present = asked.value;
  return present && <Asking key={present.deed.title} {...present} />;
}

function Asking({ workspace, deed }: { workspace: string; deed: Deed }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [preview, setPreview] = useState<Preview>();
  const [problem, setProblem] = useState<Problem>();
  const [failed, setFailed] = useState<Problem>();
  const [isRunning, setRunning] = useState(false);
  const [note, setNote] = useState("");
  const [until, setUntil] = useState("");

  const fields = deed.isPause
    ? { ...deed.fields, ...(note && { note }), ...(until && { until: new Date(until).toISOString() }) }
    : deed.fields;

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    setPreview(undefined);
    const reading = new Reading(async (_, signal) => {
      setPreview(await tryOut(workspace, deed.command, fields, signal));
      setProblem(undefined);
    }, setProblem);
    void reading.look();
    const unlisten = listen(({ type, position }) => type !== "progress" && reading.hear(position));
    return () => {
      reading.stop();
      unlisten();
    };
  }, [until]);

  const confirm = async (event: Event) => {
    event.preventDefault();
    setRunning(true);
    try {
      const done = await run(workspace, deed.command, fields);
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

  const wrong = failed ?? problem;
  return (
    <dialog ref={dialog} aria-labelledby="asked" onClose={() => (asked.value = null)}>
      <form onSubmit={confirm}>
        <h2 id="asked">{deed.title}</h2>
        {deed.isPause && (
          <div class="fields">
            <label>
              Note
              <input value={note} maxLength={500} onInput={(event) => setNote(event.currentTarget.value)} />
            </label>
            <label>
              <span>
                Until <span class="faint">(your time; empty: until somebody ends it)</span>
              </span>
              <input
                type="datetime-local"
                value={until}
                max="9999-12-31T23:59"
                onInput={(event) => setUntil(event.currentTarget.value)}
              />
            </label>
          </div>
        )}
        {wrong ? <Trouble problem={wrong} /> : preview ? <Would preview={preview} /> : <Loading />}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={deed.harsh ? "harsh" : "main"} disabled={!preview || !!wrong || isRunning}>
            {deed.label.replace(" …", "")}
          </button>
        </div>
      </form>
    </dialog>
  );
}

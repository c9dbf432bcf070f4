import { useEffect, useState } from "preact/hooks";

import { asProblem, type Problem } from "../api/client";
import { Loading, Trouble } from "../parts/basics";
import { alike, merged, type Values } from "./draft";

const AGAIN_MS = 250;
const TRIES = 20;

/** A thing as it is now, and how the fields are called in which it may differ. */
export interface Newest {
  version: number;
  values: Values;
  /** Says in words in which of its fields it differs from what was opened. */
  told: (from: Values) => readonly string[];
}

/** Said when somebody else saved meanwhile: what they changed, and how to go on without losing it or one's own. */
export function Overtaken(props: {
  reread: () => Promise<Newest>;
  /** The version that there is by now. */
  least: number;
  first: Values;
  mine: Values;
  goOn: (newest: Newest, values: Values) => void;
}) {
  const [newest, setNewest] = useState<Newest>();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    newer(props.reread, props.least).then(setNewest, (error: unknown) => setProblem(asProblem(error)));
  }, []);
  useEffect(() => {
    if (newest && alike(newest.values, props.first)) props.goOn(newest, props.mine);
  }, [newest]);
  if (problem) return <Trouble problem={problem} />;
  if (!newest) return <Loading />;

  const { value, both } = merged(props.first, props.mine, newest.values);
  return (
    <div class="notice overtaken" role="alert">
      <div>
        <p>
          <strong>Somebody else saved this meanwhile.</strong>{" "}
          {both.length > 0
            ? "You both changed the same: with yours, theirs is given up there."
            : "What they changed you did not: both go together."}
        </p>
        <ul>
          {newest.told(props.first).map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      </div>
      <div class="buttons">
        <button type="button" onClick={() => props.goOn(newest, newest.values)}>
          Drop mine
        </button>
        <button type="button" class="main" onClick={() => props.goOn(newest, value as Values)}>
          Take theirs in and go on
        </button>
      </div>
    </div>
  );
}

/** Reads until what is read is as new as it has to be: pages lag behind the log. */
async function newer(reread: () => Promise<Newest>, least: number): Promise<Newest> {
  let found = await reread();
  for (let tries = 1; found.version < least && tries < TRIES; tries++) {
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    found = await reread();
  }
  return found;
}

import { useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Got, type Problem, read } from "../api/client";
import { useView } from "../live/view";
import { Bar, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { to } from "../router";
import { asOf } from "../time/moment";
import { count, exactUtc, plain, short } from "../words";

const AUDIT = "/v1/{workspace}/audit";
const VERIFICATION = "/v1/{workspace}/audit/verification";
const BUSY_MS = 1000;

type Audit = Got<typeof AUDIT>;
type Part = Got<typeof VERIFICATION>;

/** Where the log's chain stands, and what proves that nothing in it was changed, and that every moment was answered. */
export function Chain(props: { workspace: string; told: (types: readonly string[]) => void }) {
  const { workspace } = props;
  const { data, problem, reload } = useView(AUDIT, { workspace }, {}, (stream) => stream !== "");
  useEffect(() => {
    if (data) props.told(data.types);
  }, [data?.types.length]);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : null;
  return (
    <section class="card chain" aria-labelledby="chain">
      <h2 id="chain">Proof</h2>
      <div class="proofs">
        <div>
          <h3>The chain</h3>
          <p>
            {count(data.as_of.position, "event")}, the last at{" "}
            <time dateTime={data.as_of.at} title={exactUtc(data.as_of.at)}>
              {short(data.as_of.at)}
            </time>
            . Each carries a hash of itself and of all before it; this one seals them all:
          </p>
          <code class="hash" aria-label="The chain's value">
            {data.chain ?? "The log lacks this position."}
          </code>
          <Verify workspace={workspace} />
        </div>
        <Occurrences workspace={workspace} audited={data.occurrences} head={data.as_of.position} />
      </div>
    </section>
  );
}

type Proof = { part: Part } | { problem: Problem } | undefined;

/** Has the whole chain made again, part after part, from the first event to the moment that is looked at. */
function Verify({ workspace }: { workspace: string }) {
  const [proof, setProof] = useState<Proof>();
  const [isRunning, setRunning] = useState(false);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  const verify = async () => {
    const { signal } = (stop.current = new AbortController());
    setRunning(true);
    setProof(undefined);
    try {
      await eachPart(workspace, asOf.value, signal, (part) => setProof({ part }));
    } catch (error) {
      if (!signal.aborted) setProof({ problem: asProblem(error) });
    }
    setRunning(false);
  };
  const part = proof && "part" in proof ? proof.part : undefined;
  return (
    <>
      <p class="verify">
        <button type="button" class="main" disabled={isRunning} onClick={verify}>
          Verify
        </button>
        {isRunning && (
          <>
            <Bar share={part ? part.position / part.until : 0} label="How far it is verified" />
            <button type="button" class="quiet" onClick={() => stop.current?.abort()}>
              Stop
            </button>
          </>
        )}
      </p>
      <div role="status">{part && <Verdict part={part} isRunning={isRunning} />}</div>
      {proof && "problem" in proof && <Trouble problem={proof.problem} />}
    </>
  );
}

function Verdict({ part, isRunning }: { part: Part; isRunning: boolean }) {
  if (part.broken) {
    return (
      <p class="verdict bad">
        <Icon name="warn" /> Broken at position {part.broken.position.toLocaleString("en")}: {part.broken.what}.
      </p>
    );
  }
  if (part.position < part.until) {
    const sofar = `${part.position.toLocaleString("en")} of ${count(part.until, "event")}`;
    return <p class="faint">{isRunning ? `Verifying: ${sofar} …` : `Stopped: ${sofar} are as they were written.`}</p>;
  }
  return (
    <p class="verdict good">
      <Icon name="check" />
      <span>
        Verified: {count(part.until, "event")}, each as it was written. The chain ends with{" "}
        <code title={part.chain}>{part.chain.slice(0, 12)}…</code>
      </span>
    </p>
  );
}

async function eachPart(workspace: string, past: string, signal: AbortSignal, show: (part: Part) => void) {
  const moment = past ? { as_of: past } : {};
  let part: Part | undefined;
  do {
    const from: { after?: number; chain?: string; until?: number } = part
      ? { after: part.position, chain: part.chain, until: part.until }
      : {};
    part = await inTurn(() => read(VERIFICATION, { workspace }, { ...moment, ...from }, signal), signal);
    show(part);
  } while (!part.broken && part.position < part.until);
}

/** One part is verified at a time, whoever asks: others may be first. */
async function inTurn(ask: () => Promise<Part>, signal: AbortSignal): Promise<Part> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || asProblem(error).status !== 503) throw error;
      await new Promise((done) => setTimeout(done, BUSY_MS));
    }
  }
}

function Occurrences(props: { workspace: string; audited: Audit["occurrences"]; head: number }) {
  const { workspace, audited } = props;
  if (!audited) {
    return (
      <div>
        <h3>Every due moment</h3>
        <p class="faint">
          Nothing is known of the audit of occurrences yet. It goes on by itself while the service runs;{" "}
          <code>eventjobs audit occurrences</code> makes a whole one.
        </p>
      </div>
    );
  }
  const elsewhere = audited.found - audited.findings.length;
  const outcomes = Object.entries(audited.occurrences).map(
    ([outcome, number]) => `${number.toLocaleString("en")} ${outcome}`,
  );
  return (
    <div>
      <h3>Every due moment{asOf.value && " (as audited by now)"}</h3>
      {audited.found === 0 ? (
        <p class="verdict good">
          <Icon name="check" /> Each has exactly one outcome, and every step is the rule's.
        </p>
      ) : (
        <p class="verdict bad">
          <Icon name="warn" /> {count(audited.found, "finding")}:{" "}
          {Object.entries(audited.kinds)
            .map(([kind, number]) => `${number} ${plain(kind)}`)
            .join(", ")}
        </p>
      )}
      <p class="faint">
        Audited up to position {audited.position.toLocaleString("en")}
        {outcomes.length > 0 && `: ${outcomes.join(", ")}`}; {count(audited.steps, "step")} made again.
      </p>
      {audited.findings.length > 0 && (
        <ul class="what-is-wrong">
          {audited.findings.map((finding) => (
            <li key={`${finding.position}/${finding.kind}/${finding.due}`}>
              <a href={to(workspace, "history", "", { position: String(finding.position) })}>
                {finding.position.toLocaleString("en")}
              </a>{" "}
              <code>{finding.owner}</code> {finding.what}
            </li>
          ))}
        </ul>
      )}
      {elsewhere > 0 && (
        <p class="faint">
          Not shown: {count(elsewhere, "finding")} about other workspaces, or after the first hundred.
        </p>
      )}
    </div>
  );
}

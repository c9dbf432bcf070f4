import { useEffect, useRef, useState } from "preact/hooks";

import { ask } from "../actions/dialog";
import { asProblem, type Done, type Problem, run } from "../api/client";
import { openForm, Sheet, unheard } from "../forms/form";
import { ofKinds, useView } from "../live/view";
import { Ago, Nothing, Trouble } from "../parts/basics";
import { say } from "../parts/toast";
import { hasRole } from "../session";
import { asOf, PAST } from "../time/moment";
import { long } from "../words";

const DAYS = 365;
const DAY_MS = 86_400_000;
const TITLE = "Subscribe to this calendar";
const NEEDED = "administrator";

/** Offers an address at which other programs follow what comes and what became of it. */
export function Subscribe({ workspace, owner }: { workspace: string; owner: string }) {
  const reason = asOf.value ? PAST : hasRole(NEEDED) ? undefined : `it needs the role ${NEEDED}`;
  return (
    <button
      type="button"
      aria-disabled={reason !== undefined}
      title={reason}
      onClick={() =>
        reason === undefined
          ? openForm(() => <Addresses workspace={workspace} owner={owner} />)
          : say(`Subscribing is not possible: ${reason}.`)
      }
    >
      Subscribe …
    </button>
  );
}

function Addresses({ workspace, owner }: { workspace: string; owner: string }) {
  const [made, setMade] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isMaking, setMaking] = useState(false);
  const [isTaken, setTaken] = useState(false);
  const sheet = useRef<HTMLDivElement>(null);

  const make = async (event: Event) => {
    event.preventDefault();
    setMaking(true);
    try {
      const expires_at = new Date(Date.now() + DAYS * DAY_MS).toISOString();
      const fields = { roles: ["calendar"], read_only: true, expires_at };
      const done = (await run(workspace, [{ command: "IssueKey", data: fields }])) as Done & { secret: string };
      if (!sheet.current) say("An address was made, and nobody has seen it: revoke it below Subscribe.");
      setMade(feedAddress(workspace, owner, done.secret));
      setTaken(false);
      setProblem(undefined);
    } catch (error) {
      const wrong = asProblem(error);
      if (!sheet.current) say(unheard(TITLE, wrong));
      setProblem(wrong);
    }
    setMaking(false);
  };

  return (
    <Sheet
      title={TITLE}
      isChanged={isMaking || (made !== "" && !isTaken)}
      loss={isMaking ? "The address is being made." : "The address was not copied, and is not shown again."}
    >
      <div class="subscribe" ref={sheet}>
        <p>
          Programs that read iCalendar (.ics) follow an address. It shows what comes in 31 days and what became of the
          last seven of {owner || "everything in this workspace"}, and nothing else. Whoever has it can read that, for a
          year or until you revoke it.
        </p>
        {problem && <Trouble problem={problem} />}
        {made ? (
          <Made address={made} whenTaken={() => setTaken(true)} />
        ) : (
          <form onSubmit={make}>
            <button type="submit" class="main" disabled={isMaking}>
              Make an address
            </button>
          </form>
        )}
        <Given workspace={workspace} />
      </div>
    </Sheet>
  );
}

function Made({ address, whenTaken }: { address: string; whenTaken: () => void }) {
  const text = useRef<HTMLInputElement>(null);
  useEffect(() => text.current?.select(), []);
  const copy = async () => {
    text.current?.select();
    try {
      await navigator.clipboard.writeText(address);
      whenTaken();
      say("Copied.");
    } catch {
      say("Your browser does not let this page copy: the address is selected, copy it from there.");
    }
  };
  return (
    <div class="made">
      <label>
        The address; it is shown this once
        <input ref={text} readOnly value={address} onCopy={whenTaken} />
      </label>
      <button type="button" class="main" onClick={copy}>
        Copy
      </button>
    </div>
  );
}

/** The addresses that hold, each with a way to end it. */
function Given({ workspace }: { workspace: string }) {
  const path = "/v1/{workspace}/keys";
  const { data, problem } = useView(path, { workspace }, { limit: 1000 }, ofKinds("access"));
  if (!data) return problem ? <Trouble problem={problem} /> : null;
  const present = Date.now();
  const given = data.items.filter(
    (key) =>
      key.roles.includes("calendar") && !key.revoked_at && key.expires_at && Date.parse(key.expires_at) > present,
  );
  if (given.length === 0) return <Nothing title="No address was given out yet" />;
  const revoke = (id: string) =>
    ask(workspace, {
      name: "revoke",
      label: "Revoke",
      title: "Revoke this calendar's address?",
      command: "RevokeKey",
      fields: { id },
      harsh: true,
      done: "Revoked",
    });
  return (
    <section>
      <h3>Addresses that were given out</h3>
      <ul class="given">
        {given.map((key) => (
          <li key={key.id}>
            <span>
              by {key.issued_by}, <Ago at={key.issued_at} />
              <small>
                <code>{key.id}</code> ends {long(key.expires_at!)}
              </small>
            </span>
            <button type="button" class="harsh" aria-label={`Revoke ${key.id}`} onClick={() => revoke(key.id)}>
              Revoke …
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function feedAddress(workspace: string, owner: string, token: string): string {
  const address = new URL(`v1/${encodeURIComponent(workspace)}/calendar.ics`, location.href.replace(/#.*/, ""));
  address.searchParams.set("token", token);
  if (owner) address.searchParams.set("owner", owner);
  return address.href;
}

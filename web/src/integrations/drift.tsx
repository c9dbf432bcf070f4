import { ask } from "../actions/dialog";
import { type Allowed, type Deed, reasonOf } from "../actions/deeds";
import { ActButton } from "../actions/tools";
import type { Schemas } from "../api/client";
import { ofKinds, useView } from "../live/view";
import { Loading, Trouble } from "../parts/basics";
import { to } from "../router";
import { cadence, plain, zoneName } from "../words";

type Drifted = Schemas["Drifted"];

const CONCERNS = ofKinds("integration", "schedule", "service", "flow");
const SAID: Record<string, string> = {
  cadence: "runs at other times than its definition says",
  deleted: "was deleted here, and syncs leave it so",
  own: "was built here",
};

/** In what the workspace differs from what the definition says, with the way back where there is one. */
export function Drift({ workspace, id }: { workspace: string; id: string }) {
  const { data, problem, reload } = useView("/v1/{workspace}/integrations/{id}", { workspace, id }, {}, CONCERNS);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  if (data.drift.length === 0) {
    return <p class="faint">Nothing differs: what the definition brings is here as it says, and nothing else.</p>;
  }
  return (
    <ul class="drift" aria-label={`What differs from ${id}`}>
      {data.drift.map((one) => (
        <li key={`${one.thing.kind}/${one.thing.id}/${one.what}`}>
          <div>
            {plain(one.thing.kind)}{" "}
            {one.what === "deleted" ? (
              <code>{one.thing.id}</code>
            ) : (
              <a href={to(workspace, "jobs", "", { q: one.thing.id })}>
                <code>{one.thing.id}</code>
              </a>
            )}{" "}
            {SAID[one.what] ?? plain(one.what)}
            {one.what === "cadence" && <Cadences of={one} />}
          </div>
          <WayBack workspace={workspace} of={one} />
        </li>
      ))}
    </ul>
  );
}

function Cadences({ of: { here, defined } }: { of: Drifted }) {
  if (!here || !defined) return null;
  return (
    <small>
      Here: {cadence(here)} in {zoneName(here.time_zone)}. The definition: {cadence(defined)} in{" "}
      {zoneName(defined.time_zone)}.
    </small>
  );
}

function WayBack({ workspace, of }: { workspace: string; of: Drifted }) {
  const deed = deedOf(of);
  const reason = deed && reasonOf(of.actions as Record<string, Allowed>, deed.name);
  return deed && <ActButton label={deed.label} reason={reason} act={() => ask(workspace, deed)} />;
}

function deedOf({ thing: { kind, id }, what }: Drifted): Deed | undefined {
  if (what === "deleted") {
    const command = { schedule: "RestoreSchedule", service: "RestoreService", flow: "RestoreFlow" }[kind];
    return command === undefined
      ? undefined
      : { name: "restore", label: "Restore", title: `Restore ${id}?`, command, fields: { id }, done: "Restored" };
  }
  if (what !== "cadence") return undefined;
  return {
    name: "clear_override",
    label: "Take the definition's cadence",
    title: `Give ${id} the cadence of its definition again?`,
    command: "ClearCadenceOverride",
    fields: { id },
    done: "The cadence is the definition's again",
  };
}

import { Diff } from "../actions/diff";
import { AtOnce, Recorded, Warnings } from "../actions/would";
import type { Done, Order, Preview, Schemas } from "../api/client";
import type { Values } from "../forms/draft";
import { CheckField, ChoiceField, type Option, SetField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { JsonField, unparsed } from "../forms/json_field";
import { Loading } from "../parts/basics";
import { say } from "../parts/toast";
import { capital, count } from "../words";

type Registration = Schemas["IntegrationItem"];
type Feature = Schemas["FeatureShown"];

const REFUSED = 400;

/** Opens what syncs some of the workspace's registrations, once it was seen what that changes. */
export function openSync(workspace: string, all: readonly Registration[], chosen: readonly string[]): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={chosen.length === 1 ? `Sync ${chosen[0]}` : "Sync registrations"}
      begin={{ ids: chosen }}
      orders={(values) =>
        (values["ids"] as readonly string[]).map((id) => ({ command: "SyncRegistration", data: { id } }))
      }
      label="Sync"
      done="Synced"
      foreseen={({ preview }) => preview && <Foreseen preview={preview} />}
    >
      {(_, { preview }) => (
        <>
          {all.length > 1 && (
            <Part title="Which registrations">
              <SetField path="ids" label="To sync" options={all.map((one) => [one.id, one.name || one.id])} />
            </Part>
          )}
          <Changes preview={preview} />
        </>
      )}
    </CommandForm>
  ));
}

/** The same for registrations in other workspaces of a definition that this one publishes. */
export function openSyncOfTargets(workspace: string, definition: string, all: readonly string[]): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={`Sync ${definition} in other workspaces`}
      begin={{ targets: all }}
      orders={({ targets }) => ordersFor(definition, targets as readonly string[], all)}
      label="Sync"
      done="Asked for"
      whenDone={tellRefused}
      foreseen={({ preview }) => preview && <Foreseen preview={preview} />}
    >
      {(_, { preview }) => (
        <>
          <Part title="Where" hint="Each workspace is synced by itself, with the rights that you have there.">
            <SetField path="targets" label="Workspaces" options={all.map((one) => [one, one])} />
          </Part>
          <Changes preview={preview} />
          {preview?.results && <Targets results={preview.results} />}
        </>
      )}
    </CommandForm>
  ));
}

function ordersFor(id: string, targets: readonly string[], all: readonly string[]): readonly Order[] {
  if (targets.length === 0) return [];
  return [{ command: "SyncRegistration", data: { id, targets: targets.length === all.length ? "all" : targets } }];
}

type Result = Schemas["TargetResult"];

function Targets({ results }: { results: readonly Result[] }) {
  const refused = results.filter((one) => one.status >= REFUSED);
  if (refused.length === 0) return null;
  return (
    <Part title="Not possible">
      <ul class="across">
        {refused.map((one) => (
          <li key={one.workspace} class="error">
            {one.workspace}: {String(one["detail"] ?? "refused")}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function tellRefused(done: Done): void {
  const results = (done as { results?: readonly Result[] }).results ?? [];
  const refused = results.filter((one) => one.status >= REFUSED);
  if (refused.length > 0) {
    say(
      `${count(refused.length, "workspace")} could not be synced: ${refused.map((one) => one.workspace).join(", ")}.`,
    );
  }
}

const NEXT: Record<string, readonly string[]> = {
  off: ["onboarding", "active"],
  onboarding: ["active", "off"],
  active: ["maintenance", "off"],
  maintenance: ["active", "off"],
};
const MEANINGS: Record<string, string> = {
  off: "Its schedules stand still and are in no section; nothing of it runs, by hand neither.",
  onboarding: "Its schedules stand still, each with a switch of its own; what is run by hand runs.",
  active:
    "All its schedules are active, whatever they were before. Those that never ran and are not ahead run at once.",
  maintenance: "Its schedules stand still, each with a switch of its own; what is run by hand runs.",
};

/** Opens what puts a feature into another status, once it was seen what that changes and runs. */
export function openFeature(workspace: string, integration: string, feature: Feature): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={`Status of ${feature.name || feature.id}`}
      begin={{}}
      orders={(values) => statusOrders(integration, feature, values)}
      label="Set the status"
      done="Set"
      foreseen={({ preview }) => preview && <Foreseen preview={preview} />}
    >
      {(draft, { preview }) => (
        <>
          <Part title={`It is ${capital(feature.status)} now`}>
            <ChoiceField
              path="status"
              label="New status"
              options={(NEXT[feature.status] ?? []).map((one): Option => [one, labelOf(feature.status, one)])}
              hint={MEANINGS[String(draft.values["status"])] ?? "The registration is synced with it."}
            />
            {draft.values["status"] === "off" && (
              <CheckField
                path="cancel_open_runs"
                label="Stop its open runs"
                hint="Otherwise they go on to their end."
              />
            )}
          </Part>
          {draft.values["status"] !== undefined && <Changes preview={preview} />}
        </>
      )}
    </CommandForm>
  ));
}

function labelOf(from: string, to: string): string {
  return from === "off" && to === "active" ? "Active, without onboarding" : capital(to);
}

function statusOrders(integration: string, { id, status: present }: Feature, values: Values): readonly Order[] {
  const { status, cancel_open_runs } = values;
  if (status === undefined) return [];
  const skips = present === "off" && status === "active";
  const data = {
    integration,
    feature: id,
    status,
    ...(skips && { skip_onboarding: true }),
    ...(status === "off" && cancel_open_runs === true && { cancel_open_runs }),
  };
  return [{ command: "SetFeatureStatus", data }];
}

/** Opens what a registration sets otherwise than its definition, and whether it is active at all. */
export function openRegistration(workspace: string, of: Registration): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={`Settings of ${of.name || of.id}`}
      begin={{ active: of.status === "active", configuration: of.configuration }}
      orders={(values) => [
        {
          command: "RegisterIntegration",
          data: {
            definition: `${of.definition.workspace}/${of.id}`,
            active: values["active"],
            configuration: values["configuration"] ?? {},
          },
        },
      ]}
      lacks={unparsed}
      label="Save"
      done="Saved"
      foreseen={({ preview }) => preview && <Foreseen preview={preview} />}
    >
      {(_, { preview }) => (
        <>
          <Part title="Settings">
            <CheckField path="active" label="Active" hint="While it is not, nothing of it triggers." />
            <JsonField
              path="configuration"
              label="What is otherwise here"
              hint='By job, fields that take the place of those in its configuration: {"load": {"source": "ours.csv"}}.'
              rows={6}
              isObject
              wide
            />
          </Part>
          <Changes preview={preview} />
        </>
      )}
    </CommandForm>
  ));
}

/** What would be other than now, as the main thing of a form. */
export function Changes({ preview }: { preview: Preview | undefined }) {
  return (
    <section class="part">
      <h3>What would change</h3>
      {preview ? <Diff preview={preview} /> : <Loading />}
    </section>
  );
}

/** What would run, and what would be recorded. */
export function Foreseen({ preview }: { preview: Preview }) {
  const facts = preview.events.length;
  return (
    <div class="would">
      {preview.runs_now.length === 0 ? <p>No run would start at once.</p> : <AtOnce preview={preview} />}
      <Warnings of={preview.warnings} />
      {(preview.results ?? []).map((one) => (
        <Warnings key={one.workspace} of={(one["warnings"] as Preview["warnings"] | undefined) ?? []} />
      ))}
      {facts > 0 && (
        <details>
          <summary>{count(facts, "fact")} would be recorded</summary>
          <Recorded preview={preview} />
        </details>
      )}
    </div>
  );
}

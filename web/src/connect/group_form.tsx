import { useRef } from "preact/hooks";

import { type Fault, type Order, read, type Schemas } from "../api/client";
import type { Draft, Values } from "../forms/draft";
import { TextArea, TextField } from "../forms/fields";
import { openForm, Part } from "../forms/form";
import { differences } from "../forms/differences";
import { opening } from "../forms/opening";
import type { Newest } from "../forms/overtaken";
import { go, to } from "../router";
import { type Chosen, JobsStep } from "./jobs_step";
import { ExpiryPart, PolicyPart, SchedulePart } from "./schedule_part";
import { slug } from "../forms/slug";
import { slotsBegun, slotsSent } from "./slots";
import { hookLacks, toldBegun, ToldPart } from "./told_part";
import { begun } from "./begun";
import { type Step, Wizard } from "./wizard";

type Group = Schemas["Group"];

const PATH = "/v1/{workspace}/groups/{id}";
const PLACES = { id_taken: "id", name_taken: "name", job_in_other_group: "jobs" };

/** Opens the wizard for a new group. */
export function createGroup(workspace: string): Promise<void> {
  return opening(async () => {
    const { time_zone: zone } = await read("/v1/{workspace}", { workspace });
    openForm(() => <NewGroup workspace={workspace} zone={zone} />);
  });
}

/** Opens the wizard for a group, as it is now, and at the earliest as it was at a position. */
export function editGroup(workspace: string, id: string, position?: number): Promise<void> {
  return opening(async () => {
    const group = await read(PATH, { workspace, id }, { wait_for: position });
    openForm(() => <PresentGroup workspace={workspace} group={group} />);
  });
}

function NewGroup({ workspace, zone }: { workspace: string; zone: string }) {
  const names = useRef(new Map<string, string>());
  const idOf = (values: Values) => values["id"] ?? slug(values["name"]);
  const create = (values: Values): Order => ({
    command: "CreateGroup",
    data: { ...groupSent(values), id: idOf(values) },
  });
  const activate = (values: Values): Order => ({ command: "ActivateGroup", data: { id: idOf(values) } });
  return (
    <Wizard
      workspace={workspace}
      title="Create a group"
      begin={{ ...begun(zone), jobs: [] }}
      steps={steps({ workspace, names: names.current })}
      save={(values) => [create(values)]}
      activate={(values) => [create(values), activate(values)]}
      lacks={lacks}
      places={PLACES}
      said={{ saved: "Saved as a draft", activated: "The group is active" }}
      whenDone={() => go(to(workspace, "connect", "", { tab: "groups" }))}
    />
  );
}

function PresentGroup({ workspace, group }: { workspace: string; group: Group }) {
  const names = useRef(new Map(group.jobs.map((one) => [one.job.id, one.name ?? one.job.id])));
  const order = (command: string, values: Values, ifMatch: number | undefined): Order => ({
    command,
    data: { ...groupSent(values), id: group.id },
    ifMatch,
  });
  const isActive = group.state === "active";
  return (
    <Wizard
      workspace={workspace}
      title={`Edit ${group.name}`}
      begin={groupBegun(group)}
      steps={steps({ workspace, group: group.id, names: names.current })}
      save={(values, version) => [order("SaveGroup", values, version)]}
      activate={isActive ? undefined : (values, version) => [order("ActivateGroup", values, version)]}
      lacks={lacks}
      version={group.version}
      reread={async () => newest(await read(PATH, { workspace, id: group.id }))}
      places={PLACES}
      said={{ saved: isActive ? "Saved; it holds from the next run on" : "Saved", activated: "The group is active" }}
    />
  );
}

function lacks(values: Values): readonly Fault[] {
  const name = values["name"] ? [] : [{ path: "name", detail: "A group has a name." }];
  return [...name, ...hookLacks(values)];
}

const PARTS: Readonly<Record<string, string>> = {
  name: "its name",
  description: "its description",
  jobs: "its jobs",
  schedule: "when it runs",
  notification: "who is told",
  policies: "what it does when it is late",
  expires_on: "its last day",
  on_expiry: "what becomes of it when it expires",
};

function newest(group: Group): Newest {
  const values = groupBegun(group);
  return { version: group.version, values, told: (from) => differences(from, values, PARTS) };
}

interface About {
  workspace: string;
  group?: string;
  names: Map<string, string>;
}

function steps({ workspace, group, names }: About): readonly Step[] {
  const owner = (draft: Draft) => `group/${group ?? draft.values["id"] ?? slug(draft.values["name"])}`;
  return [
    {
      title: "Details",
      paths: ["id", "name", "description", "notification"],
      show: (draft) => (
        <>
          <Part title="What it is">
            <TextField path="name" label="Name" required maxLength={100} />
            {group === undefined && (
              <TextField
                path="id"
                label="Id"
                code
                maxLength={64}
                placeholder={slug(draft.values["name"])}
                hint="Stays for ever. Empty: made of the name."
              />
            )}
            <TextArea path="description" label="Description" rows={2} maxLength={2000} wide />
          </Part>
          <ToldPart draft={draft} isGroup />
        </>
      ),
    },
    {
      title: "Jobs",
      paths: ["jobs"],
      show: (draft) => <JobsStep draft={draft} workspace={workspace} group={group} names={names} />,
    },
    {
      title: "Schedule",
      paths: ["schedule", "expires_on", "on_expiry", "policies"],
      show: (draft, outlook) => (
        <>
          <SchedulePart draft={draft} outlook={outlook} owner={owner(draft)} />
          <ExpiryPart draft={draft} hasDefault={group === undefined} />
          <PolicyPart />
        </>
      ),
    },
  ];
}

function groupBegun(group: Group): Values {
  return {
    name: group.name,
    description: group.description,
    jobs: group.jobs.map((one): Chosen => ({ job: one.job.id, required: one.required })),
    schedule: slotsBegun(group.schedule),
    notification: toldBegun(group.notification),
    policies: group.policies,
    on_expiry: group.on_expiry,
    expires_on: group.expires_on ?? "never",
  };
}

function groupSent({ id, schedule, ...others }: Values): Values {
  return { ...others, name: others["name"] ?? "", schedule: slotsSent((schedule ?? {}) as Values) };
}

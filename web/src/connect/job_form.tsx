import { type Fault, type Order, read, type Schemas } from "../api/client";
import { type Draft, type Values } from "../forms/draft";
import { ChoiceField, type Option, SelectField, TextArea, TextField } from "../forms/fields";
import { Folded, openForm, Part } from "../forms/form";
import { unparsed } from "../forms/json_field";
import { differences } from "../forms/differences";
import { opening } from "../forms/opening";
import type { Newest } from "../forms/overtaken";
import { Config, ConfigField } from "../services/config";
import { PolicyFields, policyOf } from "../services/policy";
import { drawn, type Drawn, type Schema } from "../services/schema";
import { SUMMARIES } from "../services/service_form";
import { begun } from "./begun";
import { ExpiryPart, PolicyPart, SchedulePart } from "./schedule_part";
import { slotsBegun, slotsSent } from "./slots";
import { slug } from "../forms/slug";
import { hookLacks, toldBegun, ToldPart } from "./told_part";
import { type Step, Wizard } from "./wizard";

type Job = Schemas["ConnectJob"];
type Handler = Schemas["ServiceTypeItem"];

const PATH = "/v1/{workspace}/jobs/{id}";
const PLACES = { id_taken: "id", job_in_group: "schedule", expiration_required: "expires_on" };

const KINDS: readonly Option[] = [
  ["import", "Import"],
  ["export", "Export"],
  ["partner", "Partner"],
  ["feed", "Feed"],
];
const USUAL: Readonly<Record<string, string>> = {
  import: "csv.import",
  export: "csv.export",
  partner: "http",
  feed: "csv.export",
};
const TABLES: readonly Option[] = [
  ["profile_list", "Profile list"],
  ["profile_extension", "Profile extension table"],
  ["custom_table", "Custom table"],
];
const SUBTYPES: Readonly<Record<string, readonly Option[]>> = {
  import: TABLES,
  export: [...TABLES, ["audience", "Audience"]],
};

/** What belongs together of a configuration with many fields; the rest is folded away. */
const TOGETHER: Readonly<Record<string, readonly (readonly [string, string, readonly string[]])[]>> = {
  "csv.import": [
    [
      "Where from",
      "A file of the workspace's folder, an http(s) address, or sftp://user@host/path with its login.",
      ["source", "sftp"],
    ],
    ["Where to", "", ["table", "mode", "keys"]],
    ["How it is written", "", ["has_header", "encoding", "dialect", "date_order", "header", "columns"]],
    ["When it counts as failed", "", ["count_file", "reject_limit", "rejects_file"]],
  ],
  "csv.export": [
    ["What goes out", "A table or view, or a query of your own.", ["table", "columns", "query", "incremental"]],
    [
      "Where to",
      "A file of the workspace's folder, an http(s) address, or sftp://user@host/path with its login.",
      ["target", "sftp", "exists", "gzip"],
    ],
    ["How it is written", "", ["has_header", "encoding", "dialect", "spreadsheet"]],
  ],
};

/** Opens the form for a new job. */
export function createJob(workspace: string): Promise<void> {
  return opening(async () => {
    const [{ time_zone: zone }, handlers] = await Promise.all([
      read("/v1/{workspace}", { workspace }),
      handlersOf(workspace),
    ]);
    openForm(() => <NewJob workspace={workspace} zone={zone} handlers={handlers} />);
  });
}

/** Opens the form for a job, as it is now, and at the earliest as it was at a position. */
export function editJob(workspace: string, id: string, position?: number): Promise<void> {
  return opening(async () => {
    const [job, handlers] = await Promise.all([connectJob(workspace, id, position), handlersOf(workspace)]);
    openForm(() => <PresentJob workspace={workspace} job={job} handlers={handlers} />);
  });
}

async function connectJob(workspace: string, id: string, position?: number): Promise<Job> {
  return (await read(PATH, { workspace, id }, { wait_for: position })) as unknown as Job;
}

async function handlersOf(workspace: string): Promise<readonly Handler[]> {
  const { items } = await read("/v1/{workspace}/service-types", { workspace });
  return items.filter((one) => one.type === null && one.installed);
}

interface NewProps {
  workspace: string;
  zone: string;
  handlers: readonly Handler[];
}

function NewJob({ workspace, zone, handlers }: NewProps) {
  const idOf = (values: Values) => values["id"] ?? slug(values["name"]);
  const order = (values: Values): Order => ({ command: "SaveJob", data: { ...jobSent(values), id: idOf(values) } });
  const usual = handlers.some((one) => one.handler === USUAL["import"]) ? USUAL["import"] : handlers[0]?.handler;
  return (
    <Wizard
      workspace={workspace}
      title="Create a job"
      begin={{ ...begun(zone), kind: "import", handler: usual, config: {}, expires_on: "never" }}
      steps={steps(workspace, handlers, undefined)}
      save={(values) => [order(values)]}
      activate={(values) => [order(values), { command: "ActivateJob", data: { id: idOf(values) } }]}
      lacks={lacks}
      places={PLACES}
      said={{ saved: "Saved as a draft", activated: "The job is active" }}
    />
  );
}

function PresentJob({ workspace, job, handlers }: { workspace: string; job: Job; handlers: readonly Handler[] }) {
  const begin = (of: Job) => jobBegun(of, handlers);
  const order = (values: Values, ifMatch: number | undefined): Order => ({
    command: "SaveJob",
    data: { ...jobSent(values), id: job.id },
    ifMatch,
  });
  const newest = async (): Promise<Newest> => {
    const found = await connectJob(workspace, job.id);
    const values = begin(found);
    return { version: found.version, values, told: (from) => differences(from, values, PARTS) };
  };
  const isActive = job.state === "active";
  const activation: Order = { command: "ActivateJob", data: { id: job.id } };
  return (
    <Wizard
      workspace={workspace}
      title={`Edit ${job.name || job.id}`}
      begin={begin(job)}
      steps={steps(workspace, handlers, job)}
      save={(values, version) => [order(values, version)]}
      activate={isActive ? undefined : (values, version) => [order(values, version), activation]}
      lacks={lacks}
      version={job.version}
      reread={newest}
      places={PLACES}
      said={{ saved: isActive ? "Saved; it holds from the next run on" : "Saved", activated: "The job is active" }}
    />
  );
}

function lacks(values: Values): readonly Fault[] {
  return [
    ...(values["name"] ? [] : [{ path: "name", detail: "A job has a name." }]),
    ...(values["expires_on"] ? [] : [{ path: "expires_on", detail: "A job has a last day, or never expires." }]),
    ...unparsed(values),
    ...hookLacks(values),
  ];
}

const PARTS: Readonly<Record<string, string>> = {
  name: "its name",
  description: "its description",
  subtype: "what it is for",
  handler: "what does it",
  config: "its data",
  schedule: "when it runs",
  notification: "who is told",
  policies: "what it does when it is late",
  expires_on: "its last day",
  on_expiry: "what becomes of it when it expires",
};

function steps(workspace: string, handlers: readonly Handler[], present: Job | undefined): readonly Step[] {
  const owner = ({ values }: Draft) => `${values["kind"]}/${present?.id ?? values["id"] ?? slug(values["name"])}`;
  return [
    {
      title: "Details",
      paths: ["id", "kind", "subtype", "name", "description", "notification"],
      show: (draft) => (
        <>
          <Identity draft={draft} handlers={handlers} present={present} />
          <ToldPart draft={draft} isGroup={false} />
        </>
      ),
    },
    {
      title: "Data",
      paths: ["handler", "config", "attempts", "delivery", "timeout", "backoff", "wait_timeout", "non_retryable"],
      show: (draft) => <Data key={workspace} draft={draft} handlers={handlers} />,
    },
    {
      title: "Schedule",
      paths: ["schedule", "expires_on", "on_expiry", "policies"],
      show: (draft, outlook) => (
        <>
          {present?.group && (
            <p class="faint">It is in the group {present.group.id}, which runs it in its turn: it stays on demand.</p>
          )}
          <SchedulePart draft={draft} outlook={outlook} owner={owner(draft)} />
          <ExpiryPart draft={draft} hasDefault={false} />
          <PolicyPart />
        </>
      ),
    },
  ];
}

interface IdentityProps {
  draft: Draft;
  handlers: readonly Handler[];
  present: Job | undefined;
}

function Identity({ draft, handlers, present }: IdentityProps) {
  const kind = String(draft.values["kind"]);
  const chosen = (next: string) => {
    const usual = handlers.find((one) => one.handler === USUAL[next]);
    draft.change({ subtype: undefined, ...(usual && { handler: usual.handler, config: {} }) });
  };
  return (
    <Part title="What it is">
      {!present && <ChoiceField path="kind" label="Type" options={KINDS} whenChosen={chosen} />}
      <TextField path="name" label="Name" required maxLength={100} />
      {!present && (
        <TextField
          path="id"
          label="Id"
          code
          maxLength={64}
          placeholder={slug(draft.values["name"])}
          hint="Stays for ever. Empty: made of the name."
        />
      )}
      {SUBTYPES[kind] && <SelectField path="subtype" label="Of" empty="Not said" options={SUBTYPES[kind]} />}
      <TextArea path="description" label="Description" rows={2} maxLength={2000} wide />
    </Part>
  );
}

function Data({ draft, handlers }: { draft: Draft; handlers: readonly Handler[] }) {
  const name = String(draft.values["handler"] ?? "");
  const handler = handlers.find((one) => one.handler === name);
  const schema = (handler?.schema as Schema | null | undefined) ?? null;
  const fields = drawn(schema);
  const together = fields.length > 0 ? TOGETHER[name] : undefined;
  return (
    <>
      <Part title="What does it">
        <SelectField
          path="handler"
          label="Handler"
          options={handlers.map((one) => [one.handler, one.handler])}
          hint={SUMMARIES[name]}
          whenChosen={() => draft.set("config", {})}
        />
      </Part>
      {together ? (
        <Grouped fields={fields} together={together} />
      ) : (
        <Config key={name} path="config" handler={name} schema={schema} />
      )}
      <PolicyFields delivery={handler?.delivery} />
    </>
  );
}

interface GroupedProps {
  fields: readonly Drawn[];
  together: readonly (readonly [string, string, readonly string[]])[];
}

/** The fields of a configuration in groups, those that no group names folded away. */
function Grouped({ fields, together }: GroupedProps) {
  const named = together.flatMap(([, , names]) => names);
  const find = (name: string) => fields.find((one) => one.name === name);
  const others = fields.filter((one) => !named.includes(one.name));
  return (
    <>
      {together.map(([title, hint, names]) => (
        <Part key={title} title={title} hint={hint}>
          {names
            .map(find)
            .filter((one) => one !== undefined)
            .map((one) => (
              <ConfigField key={one.name} path="config" of={one} />
            ))}
        </Part>
      ))}
      {others.length > 0 && (
        <Folded title={`More (${others.length})`}>
          {others.map((one) => (
            <ConfigField key={one.name} path="config" of={one} />
          ))}
        </Folded>
      )}
    </>
  );
}

function jobBegun(job: Job, handlers: readonly Handler[]): Values {
  const delivery = handlers.find((one) => one.handler === job.handler)?.delivery;
  return {
    kind: job.kind,
    name: job.name,
    description: job.description,
    ...(job.subtype && { subtype: job.subtype }),
    handler: job.handler,
    config: job.config,
    schedule: slotsBegun(job.schedule),
    notification: toldBegun(job.notification),
    policies: job.policies,
    on_expiry: job.on_expiry,
    expires_on: job.expires_on ?? "never",
    ...policyOf(job, delivery),
  };
}

function jobSent({ id, schedule, ...others }: Values): Values {
  return { ...others, schedule: slotsSent((schedule ?? {}) as Values) };
}

import { asProblem, read, type Schemas } from "../api/client";
import { useForm, type Values } from "../forms/draft";
import { CheckField, ChoiceField, DurationField, TextField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { unparsed } from "../forms/json_field";
import { say } from "../parts/toast";
import { Config } from "./config";
import { slug } from "../forms/slug";
import { Identity } from "./identity";
import { PolicyFields, policyOf } from "./policy";
import { drawn, missing } from "./schema";
import { schemaOf, type ServiceType, SUMMARIES } from "./service_form";

type Flow = Schemas["FlowItem"];

const HANDLERS = ["http", "python"];
const WAITS =
  "How long later stages wait while it is suspended, an hour if nothing is said; then the run goes on without it.";

/** Opens the form of a new flow, or that of one that is there. */
export async function openFlowForm(workspace: string, id?: string): Promise<void> {
  try {
    const { items } = await read("/v1/{workspace}/service-types", { workspace });
    const handlers = items.filter((one) => one.type === null && one.installed && HANDLERS.includes(one.handler));
    const present = id === undefined ? undefined : await read("/v1/{workspace}/flows/{id}", { workspace, id });
    openForm(() => <FlowForm key={id ?? ""} workspace={workspace} handlers={handlers} present={present} />);
  } catch (error) {
    say(asProblem(error).message);
  }
}

function FlowForm(props: { workspace: string; handlers: readonly ServiceType[]; present: Flow | undefined }) {
  const { workspace, handlers, present } = props;
  return (
    <CommandForm
      workspace={workspace}
      command={present ? "EditFlow" : "AddFlow"}
      title={present ? `Edit ${present.name || present.id}` : "Add a flow"}
      begin={
        present ? valuesOf(present, handlers) : { trigger: "on_demand", handler: "http", active: true, config: {} }
      }
      fields={(values) => ({ ...values, id: values["id"] ?? slug(values["name"]) })}
      lacks={(values) => {
        const chosen = handlers.find((one) => one.handler === values["handler"]);
        const fields = chosen ? drawn(schemaOf(chosen)) : [];
        return [...missing(fields, values["config"], "config"), ...unparsed(values)];
      }}
      {...(present && {
        version: present.version,
        reread: async () => {
          const newest = await read("/v1/{workspace}/flows/{id}", { workspace, id: present.id });
          return { version: newest.version, values: valuesOf(newest, handlers), told: () => ["Its definition"] };
        },
      })}
      label={present ? "Save" : "Add the flow"}
      done={present ? "Saved" : "Added"}
    >
      {() => <FlowFields handlers={handlers} present={present} />}
    </CommandForm>
  );
}

function FlowFields({ handlers, present }: { handlers: readonly ServiceType[]; present: Flow | undefined }) {
  const form = useForm();
  const chosen = handlers.find((one) => one.handler === form.values["handler"]);
  return (
    <>
      <Part title="What it is">
        {present ? <TextField path="name" label="Name" maxLength={200} /> : <Identity example="Have orders approved" />}
        <ChoiceField path="trigger" label="Started by" options={TRIGGERS} hint={hintOf(form.values, present)} />
        <ChoiceField
          path="handler"
          label="Done by"
          options={handlers.map((one) => [one.handler, one.handler])}
          hint={chosen && SUMMARIES[chosen.handler]}
          whenChosen={() => form.set("config", {})}
        />
        <DurationField path="wait_timeout" label="Waits for its end" usual="H" hint={WAITS} />
        <CheckField path="exclusive" label="One at a time" hint="A second run of it waits for the first." />
        <CheckField path="active" label="Active" hint="One that is not active is not run, by nobody." />
      </Part>
      {chosen && <Config key={chosen.handler} path="config" handler={chosen.handler} schema={schemaOf(chosen)} />}
      <PolicyFields delivery={chosen?.delivery} isFlow />
    </>
  );
}

const TRIGGERS = [
  ["on_demand", "Demand"],
  ["cache_event", "A cache event"],
  ["action_close_out", "The close-out of an action"],
  ["work_request_batch_ready", "A batch of work requests"],
] as const;

function hintOf(values: Values, present: Flow | undefined): string {
  const users = present?.used_by.map((one) => one.id).join(", ");
  if (values["trigger"] === "on_demand") return "Schedules can run it, and so can you.";
  return users
    ? `Only flows on demand can be scheduled: take it out of ${users} first.`
    : "It cannot be scheduled: only flows on demand can. Something else starts it; here it is run by hand.";
}

function valuesOf(flow: Flow, handlers: readonly ServiceType[]): Values {
  const { id, name, trigger, handler, config, exclusive, active } = flow;
  const delivery = handlers.find((one) => one.handler === handler)?.delivery;
  return { id, name, trigger, handler, config, exclusive, active, ...policyOf(flow, delivery) };
}

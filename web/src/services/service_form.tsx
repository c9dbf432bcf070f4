import { asProblem, type Fault, read, type Schemas } from "../api/client";
import { useForm, type Values } from "../forms/draft";
import { type Option, SelectField, TextField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { unparsed } from "../forms/json_field";
import { say } from "../parts/toast";
import { Config } from "./config";
import { slug } from "../forms/slug";
import { Identity } from "./identity";
import { PolicyFields, policyOf } from "./policy";
import { drawn, missing, type Schema } from "./schema";

type Service = Schemas["ServiceItem"];
export type ServiceType = Schemas["ServiceTypeItem"];

/** Opens the form of a new service, or that of one that is there. */
export async function openServiceForm(workspace: string, id?: string): Promise<void> {
  try {
    const types = (await read("/v1/{workspace}/service-types", { workspace })).items;
    const present = id === undefined ? undefined : await read("/v1/{workspace}/services/{id}", { workspace, id });
    openForm(() => <ServiceForm key={id ?? ""} workspace={workspace} types={types} present={present} />);
  } catch (error) {
    say(asProblem(error).message);
  }
}

function ServiceForm(props: { workspace: string; types: readonly ServiceType[]; present: Service | undefined }) {
  const { workspace, types, present } = props;
  const kept = { command: present ? "ConfigureService" : "AddService", fields: (values: Values) => fieldsOf(values) };
  const begin = present ? valuesOf(present, types) : { config: {} };
  return (
    <CommandForm
      {...kept}
      workspace={workspace}
      title={present ? `Configure ${present.name || present.id}` : "Add a service"}
      begin={begin}
      lacks={(values) => lacksOf(values, types)}
      {...(present && {
        version: present.version,
        reread: async () => {
          const newest = await read("/v1/{workspace}/services/{id}", { workspace, id: present.id });
          return { version: newest.version, values: valuesOf(newest, types), told: () => ["Its configuration"] };
        },
      })}
      label={present ? "Save" : "Add the service"}
      done={present ? "Saved" : "Added"}
    >
      {() => <ServiceFields types={types} isNew={!present} />}
    </CommandForm>
  );
}

function lacksOf(values: Values, types: readonly ServiceType[]): readonly Fault[] {
  const chosen = types.find((one) => keyOf(one) === values["kind"]);
  if (!chosen) return [{ path: "kind", detail: "Choose what it does." }];
  return [...missing(drawn(schemaOf(chosen)), values["config"], "config"), ...unparsed(values)];
}

function ServiceFields({ types, isNew }: { types: readonly ServiceType[]; isNew: boolean }) {
  const form = useForm();
  const chosen = types.find((one) => keyOf(one) === form.values["kind"]);
  return (
    <>
      <Part title="What it is">
        <SelectField
          path="kind"
          label="Does"
          required
          {...(chosen ? {} : { empty: "Choose …" })}
          groups={groupsOf(types)}
          hint={chosen && describe(chosen)}
          whenChosen={() => form.set("config", {})}
        />
        {isNew ? <Identity example="Load contacts" /> : <TextField path="name" label="Name" maxLength={200} />}
      </Part>
      {chosen && <Config key={keyOf(chosen)} path="config" handler={chosen.handler} schema={schemaOf(chosen)} />}
      {chosen && <PolicyFields delivery={chosen.delivery} />}
    </>
  );
}

export function schemaOf(type: ServiceType): Schema | null {
  return (type.schema as Schema | null | undefined) ?? null;
}

/** A handler by itself is called by its name, a type by its own with the handler. */
function keyOf({ type, handler }: Pick<ServiceType, "type" | "handler">): string {
  return type ? `${type}|${handler}` : handler;
}

function groupsOf(types: readonly ServiceType[]): readonly (readonly [string, readonly Option[]])[] {
  const usable = types.filter((one) => one.installed);
  const named = [...new Set(usable.map((one) => one.connector))].filter((one) => one !== null);
  return [
    ...named.map((connector) =>
      group(
        connector,
        usable.filter((one) => one.connector === connector),
      ),
    ),
    group(
      "Handlers",
      usable.filter((one) => one.connector === null),
    ),
  ];
}

function group(title: string, types: readonly ServiceType[]): readonly [string, readonly Option[]] {
  return [title, types.map((one) => [keyOf(one), one.type ? `${one.module} / ${one.service_type}` : one.handler])];
}

function describe({ type, handler, integrations, services }: ServiceType): string {
  if (!type) return SUMMARIES[handler] ?? "";
  const used = services === null ? "" : ` ${services} in this workspace.`;
  return `${type}, done by ${handler}.${used}${integrations.length ? ` From ${integrations.join(", ")}.` : ""}`;
}

/** What the handlers that come with the service do. */
export const SUMMARIES: Record<string, string> = {
  command: "Runs a program that the service allows.",
  "csv.export": "Writes rows of a table or a query into a file.",
  "csv.import": "Loads a file into a table.",
  http: "Sends one HTTP request.",
  python: "Calls a function of an installed package.",
  sleep: "Waits for a while.",
};

function valuesOf(service: Service, types: readonly ServiceType[]): Values {
  const found =
    types.find((one) => keyOf(one) === keyOf(service)) ?? types.find((one) => one.handler === service.handler);
  return {
    id: service.id,
    name: service.name,
    kind: found ? keyOf(found) : service.handler,
    config: service.config,
    ...policyOf(service, found?.delivery),
  };
}

function fieldsOf({ kind, ...values }: Values): Values {
  const [type, handler] = String(kind).includes("|") ? String(kind).split("|", 2) : [undefined, kind];
  return { ...values, id: values["id"] ?? slug(values["name"]), handler, ...(type && { type }) };
}

import { useState } from "preact/hooks";

import { useForm, type Values, valueAt } from "../forms/draft";
import { CheckField, DurationField, NumberField, SelectField, SetField, TextArea, TextField } from "../forms/fields";
import { Folded, Part } from "../forms/form";
import { JsonField } from "../forms/json_field";
import { ListField } from "../forms/list_field";
import { MapField } from "../forms/map_field";
import { count, plain } from "../words";
import { drawn, type Drawn, type Schema } from "./schema";

/** With so few fields none is folded away. */
const FEW = 6;
const LONG_CHARS = 2000;
const UNITS: Record<string, string> = { S: "second", M: "minute", H: "hour", D: "day" };
const SECRET =
  "The name of a secret, never the secret itself: who runs the service puts it into the folder of secrets.";

/** The configuration of a handler, in the fields that its schema names, or as JSON. */
export function Config({ path, handler, schema }: { path: string; handler: string; schema: Schema | null }) {
  const fields = drawn(schema);
  const present = valueAt(useForm().values, path) as Values | undefined;
  const [isJson, setJson] = useState(false);
  const [shown] = useState(() =>
    fields
      .filter((one) => fields.length <= FEW || one.isRequired || isFilled(present?.[one.name]))
      .map((one) => one.name),
  );
  const first = fields.filter((one) => shown.includes(one.name));
  const others = fields.filter((one) => !shown.includes(one.name));
  const title = `What ${handler} is to do`;

  if (fields.length === 0 || isJson) {
    return (
      <Part title={title} hint={fields.length === 0 ? "This handler says nothing about its configuration." : ""}>
        <JsonField path={path} label="Configuration as JSON" wide isObject rows={10} />
        {fields.length > 0 && <Switch label="Back to the fields" choose={() => setJson(false)} />}
      </Part>
    );
  }
  return (
    <>
      <Part title={title}>
        {first.map((one) => (
          <ConfigField key={one.name} path={path} of={one} />
        ))}
        <Switch label="Write it as JSON" choose={() => setJson(true)} />
      </Part>
      {others.length > 0 && (
        <Folded title={`More of ${handler} (${others.length})`}>
          {others.map((one) => (
            <ConfigField key={one.name} path={path} of={one} />
          ))}
        </Folded>
      )}
    </>
  );
}

function Switch({ label, choose }: { label: string; choose: () => void }) {
  return (
    <p class="across">
      <button type="button" class="link" onClick={choose}>
        {label}
      </button>
    </p>
  );
}

/** A field of a configuration, below a path. */
export function ConfigField({ path: above, of }: { path: string; of: Drawn }) {
  const { drawing, fallback } = of;
  const path = `${above}.${of.name}`;
  const said = { path, label: of.label, hint: of.hint, required: of.isRequired, deep: true };
  const usual = isFilled(fallback) ? `${String(fallback)}, if nothing is said` : of.isNullable ? "Not set" : "Choose …";
  switch (drawing.as) {
    case "text":
      return (
        <TextField
          {...said}
          code
          wide={(of.maxLength ?? 0) >= LONG_CHARS || of.name === "url"}
          placeholder={isFilled(fallback) ? String(fallback) : ""}
          maxLength={of.maxLength ?? 2048}
        />
      );
    case "long":
      return <TextArea {...said} code wide rows={4} />;
    case "secret":
      return <TextField {...said} code placeholder="secret://name" hint={`${of.hint} ${SECRET}`} maxLength={500} />;
    case "number":
      return (
        <NumberField
          {...said}
          {...(drawing.min === undefined ? {} : { min: drawing.min })}
          {...(drawing.max === undefined ? {} : { max: drawing.max })}
          step={drawing.isWhole ? 1 : "any"}
          hint={hintWith(of.hint, fallback)}
        />
      );
    case "duration":
      return <DurationField {...said} usual="S" hint={hintWith(of.hint, fallback)} />;
    case "choice":
      return <SelectField {...said} empty={usual} options={drawing.options.map((one) => [one, plain(one)])} />;
    case "flag":
      return of.isNullable || fallback === true ? <YesNo path={path} of={of} /> : <CheckField {...said} />;
    case "list":
      return (
        <ListField
          {...said}
          numbers={drawing.numbers}
          placeholder={Array.isArray(fallback) ? fallback.join("\n") : ""}
        />
      );
    case "set":
      return <SetField {...said} options={drawing.options.map((one) => [one, plain(one)])} />;
    case "map":
      return <MapField {...said} />;
    case "whole":
      return <Whole path={path} of={of} fields={drawing.fields} />;
    case "json":
      return <JsonField {...said} wide rows={2} hint={`${of.hint} Written as JSON.`} />;
  }
}

/** Yes, no, or what counts where nothing is said. */
function YesNo({ path, of }: { path: string; of: Drawn }) {
  const form = useForm();
  const value = valueAt(form.values, path);
  const usual = of.fallback === true ? "Yes, if nothing is said" : "Not set";
  return (
    <div class="field">
      <label>
        {of.label}
        <select
          value={value === undefined ? "" : String(value)}
          onChange={({ currentTarget: { value } }) => form.set(path, value === "" ? undefined : value === "true")}
        >
          <option value="">{usual}</option>
          <option value="true">Yes</option>
          <option value="false">No</option>
        </select>
      </label>
      <small>{of.hint}</small>
    </div>
  );
}

/** Fields within a field; one that may be left out is opened and taken away as a whole. */
function Whole({ path, of, fields }: { path: string; of: Drawn; fields: readonly Drawn[] }) {
  const form = useForm();
  const isSet = valueAt(form.values, path) !== undefined;
  return (
    <fieldset class="field across within">
      <legend>{of.label}</legend>
      <small>{of.hint}</small>
      {isSet && (
        <div class="fields">
          {fields.map((one) => (
            <ConfigField key={one.name} path={path} of={one} />
          ))}
        </div>
      )}
      <button type="button" onClick={() => form.set(path, isSet ? undefined : {})}>
        {isSet ? `Leave ${of.label.toLowerCase()} out` : `Set ${of.label.toLowerCase()}`}
      </button>
    </fieldset>
  );
}

function hintWith(hint: string, fallback: unknown): string {
  return isFilled(fallback) ? `${hint} ${spelled(fallback)}, if nothing is said.`.trim() : hint;
}

/** Says a number as it is, and a duration of one unit in words. */
function spelled(fallback: unknown): string {
  const [, length, unit = ""] = /^PT?(\d+)([SMHD])$/.exec(String(fallback)) ?? [];
  return length
    ? count(Number(length), UNITS[unit]!)
    : Number.isFinite(fallback)
      ? Number(fallback).toLocaleString("en")
      : String(fallback);
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { useField, useForm, valueAt } from "./draft";

export interface Said {
  path: string;
  label: string;
  hint?: ComponentChildren;
  required?: boolean | undefined;
  /** Shows also the faults of what is within. */
  deep?: boolean | undefined;
  /** Takes as much room as there is. */
  wide?: boolean | undefined;
}

interface Names {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string;
  "aria-required": boolean | undefined;
}

interface Told {
  id: string;
  fault: string | undefined;
}

/** A label, what is filled in, a hint, and what is wrong with it, in this order and known to screen readers as such. */
export function Field(props: Said & { of: Told; children: (names: Names) => ComponentChildren }) {
  const { id, fault } = props.of;
  const names: Names = {
    id,
    "aria-invalid": fault !== undefined,
    "aria-describedby": `${id}-said`,
    "aria-required": props.required,
  };
  return (
    <div class={`field ${fault ? "wrong" : ""} ${props.wide ? "across" : ""}`}>
      <label for={id}>
        {props.label}
        {props.required && (
          <span class="faint" aria-hidden="true">
            {" "}
            *
          </span>
        )}
      </label>
      {props.children(names)}
      <Hint of={props.of} hint={props.hint} />
    </div>
  );
}

/** What is wrong with a field, and what is to be known about it. */
export function Hint({ of: { id, fault }, hint }: { of: Told; hint: ComponentChildren }) {
  return (
    <small id={`${id}-said`}>
      {fault && <span class="error">{fault}</span>}
      {fault && hint && " "}
      {hint}
    </small>
  );
}

type TextType = "text" | "date" | "time" | "datetime-local" | "email" | "url" | "password";

/** One line of text; an empty one is left out. */
export function TextField(
  props: Said & {
    type?: TextType;
    maxLength?: number;
    placeholder?: string | undefined;
    list?: readonly string[];
    code?: boolean;
  },
) {
  const field = useField<string>(props.path, props);
  return (
    <Field {...props} of={field}>
      {(names) => (
        <>
          <input
            {...names}
            type={(props.type ?? "text") as "text"}
            class={props.code ? "code" : undefined}
            value={field.value ?? ""}
            maxLength={props.maxLength ?? 500}
            max={props.type === "date" ? "2200-12-31" : undefined}
            placeholder={props.placeholder}
            list={props.list && `${names.id}-list`}
            autocomplete="off"
            spellcheck={!props.code}
            onInput={(event) => field.set(event.currentTarget.value || undefined)}
            onBlur={field.leave}
          />
          {props.list && (
            <datalist id={`${names.id}-list`}>
              {props.list.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** Several lines of text. */
export function TextArea(props: Said & { rows?: number; maxLength?: number; code?: boolean; placeholder?: string }) {
  const field = useField<string>(props.path, props);
  return (
    <Field {...props} of={field}>
      {(names) => (
        <textarea
          {...names}
          class={props.code ? "code" : undefined}
          rows={props.rows ?? 3}
          maxLength={props.maxLength}
          placeholder={props.placeholder}
          spellcheck={!props.code}
          value={field.value ?? ""}
          onInput={(event) => field.set(event.currentTarget.value || undefined)}
          onBlur={field.leave}
        />
      )}
    </Field>
  );
}

/** A whole number, or one with a fraction where `step` allows it. */
export function NumberField(props: Said & { min?: number; max?: number; step?: number | "any"; unit?: string }) {
  const field = useField<number>(props.path, props);
  return (
    <Field {...props} of={field}>
      {(names) => (
        <span class="measured">
          <input
            {...names}
            type="number"
            value={field.value ?? ""}
            min={props.min}
            max={props.max}
            step={props.step ?? 1}
            onInput={({ currentTarget: { valueAsNumber } }) =>
              field.set(Number.isNaN(valueAsNumber) ? undefined : valueAsNumber)
            }
            onBlur={field.leave}
          />
          {props.unit && <span class="faint">{props.unit}</span>}
        </span>
      )}
    </Field>
  );
}

export type Option = readonly [value: string, label: string];

/** One of several, in groups or not; `empty` is what stands for none. */
export function SelectField(
  props: Said & {
    options?: readonly Option[];
    groups?: readonly (readonly [title: string, options: readonly Option[]])[];
    empty?: string;
    whenChosen?: (value: string) => void;
  },
) {
  const field = useField<string>(props.path, props);
  return (
    <Field {...props} of={field}>
      {(names) => (
        <select
          {...names}
          value={field.value ?? ""}
          onChange={({ currentTarget: { value } }) => {
            field.set(value || undefined);
            props.whenChosen?.(value);
          }}
          onBlur={field.leave}
        >
          {props.empty !== undefined && <option value="">{props.empty}</option>}
          {props.options && <Options of={props.options} />}
          {props.groups?.map(([title, options]) => (
            <optgroup key={title} label={title}>
              <Options of={options} />
            </optgroup>
          ))}
        </select>
      )}
    </Field>
  );
}

function Options({ of }: { of: readonly Option[] }) {
  return (
    <>
      {of.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </>
  );
}

/** Yes or no. */
export function CheckField(props: Said) {
  const field = useField<boolean>(props.path, props);
  return (
    <div class={`field check ${field.fault ? "wrong" : ""} ${props.wide ? "across" : ""}`}>
      <label for={field.id}>
        <input
          id={field.id}
          type="checkbox"
          checked={field.value ?? false}
          aria-describedby={`${field.id}-said`}
          onChange={(event) => field.set(event.currentTarget.checked)}
        />
        {props.label}
      </label>
      <Hint of={field} hint={props.hint} />
    </div>
  );
}

/** One of a few, all of them seen at once; the arrow keys move between them. */
export function ChoiceField(props: Said & { options: readonly Option[]; whenChosen?: (value: string) => void }) {
  const field = useField<string>(props.path, props);
  return (
    <fieldset id={field.id} class={`field choices ${field.fault ? "wrong" : ""}`} aria-describedby={`${field.id}-said`}>
      <legend>{props.label}</legend>
      <div>
        {props.options.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name={field.id}
              value={value}
              checked={field.value === value}
              onChange={() => {
                field.set(value);
                props.whenChosen?.(value);
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <Hint of={field} hint={props.hint} />
    </fieldset>
  );
}

/** Any of a few, in the order in which they are offered. */
export function SetField(props: Said & { options: readonly Option[] }) {
  const field = useField<readonly string[]>(props.path, { label: props.label, deep: true });
  const chosen = field.value ?? [];
  return (
    <fieldset id={field.id} class={`field choices ${field.fault ? "wrong" : ""}`} aria-describedby={`${field.id}-said`}>
      <legend>{props.label}</legend>
      <div>
        {props.options.map(([value, label]) => (
          <label key={value}>
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={({ currentTarget: { checked } }) =>
                field.set(
                  props.options.map(([one]) => one).filter((one) => (one === value ? checked : chosen.includes(one))),
                )
              }
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <Hint of={field} hint={props.hint} />
    </fieldset>
  );
}

const UNITS = [
  ["S", "seconds", 1],
  ["M", "minutes", 60],
  ["H", "hours", 3_600],
  ["D", "days", 86_400],
] as const;
type UnitName = (typeof UNITS)[number][0];

/** A length of time, as a number of some unit; an empty one is left out. */
export function DurationField(props: Said & { units?: string; usual?: UnitName }) {
  const field = useField<string>(props.path, props);
  const offered = UNITS.filter(([unit]) => (props.units ?? "SMHD").includes(unit));
  const length = secondsOf(field.value);
  const [unit, setUnit] = useState(() => unitOf(length) ?? props.usual ?? "M");
  const size = UNITS.find(([one]) => one === unit)![2];
  return (
    <Field {...props} of={field}>
      {(names) => (
        <span class="measured">
          <input
            {...names}
            type="number"
            min={0}
            step="any"
            value={length === undefined ? "" : length / size}
            onInput={({ currentTarget: { valueAsNumber } }) =>
              field.set(Number.isNaN(valueAsNumber) ? undefined : written(valueAsNumber * size))
            }
            onBlur={field.leave}
          />
          <select
            aria-label={`${props.label}: unit`}
            value={unit}
            onChange={(event) => {
              const next = UNITS.find(([one]) => one === event.currentTarget.value)!;
              setUnit(next[0]);
              if (length !== undefined) field.set(written((length / size) * next[2]));
            }}
          >
            {offered.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </span>
      )}
    </Field>
  );
}

/** Reads an ISO 8601 duration of days and shorter units. */
function secondsOf(text: string | undefined): number | undefined {
  const parts = /^P(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/.exec(text ?? "");
  const sizes = [86_400, 3_600, 60, 1];
  return parts?.slice(1).reduce((sum, part, place) => sum + Number(part ?? 0) * sizes[place]!, 0);
}

/** Writes a duration; the service says the same one in its own way. */
function written(length: number): string {
  return length % 86_400 === 0 && length > 0 ? `P${length / 86_400}D` : `PT${length}S`;
}

function unitOf(length: number | undefined): UnitName | undefined {
  return length ? [...UNITS].reverse().find(([, , size]) => length % size === 0)?.[0] : undefined;
}

/** A time zone by its name in the zone database; `first` are those that are likely. */
export function ZoneField(props: Said & { first?: readonly (string | undefined)[] }) {
  const value = valueAt(useForm().values, props.path) as string | undefined;
  const likely = [...new Set([...(props.first ?? []), OWN_ZONE, "UTC", value])].filter((one) => one !== undefined);
  return (
    <SelectField
      {...props}
      {...(value === undefined ? { empty: "Choose …" } : {})}
      groups={[["Likely", likely.map((zone) => [zone, zone.replaceAll("_", " ")])], ...REGIONS]}
    />
  );
}

const ZONES: readonly string[] = Intl.supportedValuesOf("timeZone").filter((zone) => zone.includes("/"));

/** The zones by their regions, each called by the rest of its name. */
const REGIONS: readonly (readonly [string, readonly Option[]])[] = [
  ...new Set(ZONES.map((zone) => zone.slice(0, zone.indexOf("/")))),
].map((region) => [
  region,
  ZONES.filter((zone) => zone.startsWith(`${region}/`)).map((zone) => [
    zone,
    zone.slice(region.length + 1).replaceAll("_", " "),
  ]),
]);

/** The zone of the reader's browser. */
export const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

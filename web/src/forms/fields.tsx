import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

import { useField } from "./draft";

interface Said {
  path: string;
  label: string;
  hint?: ComponentChildren;
  required?: boolean;
  /** Shows also the faults of what is within. */
  deep?: boolean;
}

/** A label, what is filled in, a hint, and what is wrong with it, in this order and known to screen readers as such. */
function Field(props: Said & { fault: string | undefined; children: (names: Names) => ComponentChildren }) {
  const id = useId();
  const names: Names = {
    id,
    "aria-invalid": props.fault !== undefined,
    "aria-describedby": `${id}-said`,
    "aria-required": props.required,
  };
  return (
    <div class={`field ${props.fault ? "wrong" : ""}`}>
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
      <small id={`${id}-said`}>
        {props.fault && <span class="error">{props.fault}</span>}
        {props.fault && props.hint && " "}
        {props.hint}
      </small>
    </div>
  );
}

interface Names {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string;
  "aria-required": boolean | undefined;
}

type TextType = "text" | "date" | "time" | "datetime-local" | "email" | "url" | "password";

/** One line of text; an empty one is left out. */
export function TextField(
  props: Said & { type?: TextType; maxLength?: number; placeholder?: string; list?: readonly string[]; code?: boolean },
) {
  const field = useField<string>(props.path, { deep: props.deep ?? false });
  return (
    <Field {...props} fault={field.fault}>
      {(names) => (
        <>
          <input
            {...names}
            type={(props.type ?? "text") as "text"}
            class={props.code ? "code" : undefined}
            value={field.value ?? ""}
            maxLength={props.maxLength ?? 500}
            placeholder={props.placeholder}
            list={props.list && `${names.id}-list`}
            autocomplete="off"
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
export function TextArea(props: Said & { rows?: number; maxLength?: number; code?: boolean }) {
  const field = useField<string>(props.path, { deep: props.deep ?? false });
  return (
    <Field {...props} fault={field.fault}>
      {(names) => (
        <textarea
          {...names}
          class={props.code ? "code" : undefined}
          rows={props.rows ?? 3}
          maxLength={props.maxLength}
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
  const field = useField<number>(props.path);
  return (
    <Field {...props} fault={field.fault}>
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

/** One of several; `empty` is what stands for none. */
export function SelectField(
  props: Said & { options: readonly Option[]; empty?: string; whenChosen?: (value: string) => void },
) {
  const field = useField<string>(props.path, { deep: props.deep ?? false });
  return (
    <Field {...props} fault={field.fault}>
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
          {props.options.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Yes or no. */
export function CheckField(props: Said) {
  const field = useField<boolean>(props.path);
  const id = useId();
  return (
    <div class={`field check ${field.fault ? "wrong" : ""}`}>
      <label for={id}>
        <input
          id={id}
          type="checkbox"
          checked={field.value ?? false}
          aria-describedby={`${id}-said`}
          onChange={(event) => field.set(event.currentTarget.checked)}
        />
        {props.label}
      </label>
      <small id={`${id}-said`}>
        {field.fault && <span class="error">{field.fault}</span>} {props.hint}
      </small>
    </div>
  );
}

/** One of a few, all of them seen at once; the arrow keys move between them. */
export function ChoiceField(props: Said & { options: readonly Option[]; whenChosen?: (value: string) => void }) {
  const field = useField<string>(props.path);
  const id = useId();
  return (
    <fieldset class={`field choices ${field.fault ? "wrong" : ""}`} aria-describedby={`${id}-said`}>
      <legend>{props.label}</legend>
      <div>
        {props.options.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name={id}
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
      <small id={`${id}-said`}>
        {field.fault && <span class="error">{field.fault}</span>} {props.hint}
      </small>
    </fieldset>
  );
}

/** Any of a few. */
export function SetField(props: Said & { options: readonly Option[] }) {
  const field = useField<readonly string[]>(props.path, { deep: true });
  const chosen = field.value ?? [];
  const id = useId();
  return (
    <fieldset class={`field choices ${field.fault ? "wrong" : ""}`} aria-describedby={`${id}-said`}>
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
      <small id={`${id}-said`}>
        {field.fault && <span class="error">{field.fault}</span>} {props.hint}
      </small>
    </fieldset>
  );
}

/** A time zone by its name in the zone database. */
export function ZoneField(props: Said) {
  return <TextField {...props} list={ZONES} placeholder="Europe/Berlin" maxLength={64} />;
}

const ZONES: readonly string[] = ["UTC", ...Intl.supportedValuesOf("timeZone")];

/** The zone of the reader's browser. */
export const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

import { useState } from "preact/hooks";

import type { Fault } from "../api/client";
import { useField } from "./draft";
import { Field, type Said } from "./fields";

/** A text that is not JSON. It stands among the values until it is put right, and nothing is sent meanwhile. */
class Unparsed {
  constructor(
    readonly text: string,
    readonly detail: string,
  ) {}
}

/** Lists what among the values is not JSON yet, as what a form lacks. */
export function unparsed(values: unknown, path = ""): readonly Fault[] {
  if (values instanceof Unparsed) return [{ path, detail: values.detail }];
  if (typeof values !== "object" || values === null) return [];
  return Object.entries(values).flatMap(([name, value]) => unparsed(value, path ? `${path}.${name}` : name));
}

/** Any value, written as JSON; an empty one is left out. */
export function JsonField(props: Said & { rows?: number; placeholder?: string; isObject?: boolean }) {
  const field = useField<unknown>(props.path, { ...props, deep: true });
  const [text, setText] = useState(() => (field.value === undefined ? "" : shown(field.value)));
  return (
    <Field {...props} of={field}>
      {(names) => (
        <textarea
          {...names}
          class="code"
          rows={props.rows ?? Math.min(16, Math.max(2, text.split("\n").length))}
          placeholder={props.placeholder}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget: { value } }) => {
            setText(value);
            field.set(parsed(value, props.isObject ?? false));
          }}
          onBlur={field.leave}
        />
      )}
    </Field>
  );
}

function shown(value: unknown): string {
  return value instanceof Unparsed ? value.text : JSON.stringify(value, null, 2);
}

function parsed(text: string, isObject: boolean): unknown {
  if (text.trim() === "") return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    const fits = !isObject || (typeof value === "object" && value !== null && !Array.isArray(value));
    return fits ? value : new Unparsed(text, 'It is written between braces: {"name": "value"}.');
  } catch (error) {
    return new Unparsed(text, `This is not JSON: ${(error as SyntaxError).message}.`);
  }
}

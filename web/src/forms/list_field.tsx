import { useState } from "preact/hooks";

import { useField } from "./draft";
import { Field, type Said } from "./fields";

/** Several texts or numbers, one on each line; an empty list is left out. */
export function ListField(props: Said & { numbers: "never" | "sometimes" | "always"; placeholder?: string }) {
  const field = useField<readonly unknown[]>(props.path, { ...props, deep: true });
  const [text, setText] = useState(() => (field.value ?? []).join("\n"));
  const item = (line: string) => (props.numbers === "never" ? line : numberOr(line.trim()));
  return (
    <Field {...props} hint={<>One on each line. {props.hint}</>} of={field}>
      {(names) => (
        <textarea
          {...names}
          class="code"
          rows={Math.min(10, Math.max(2, text.split("\n").length))}
          placeholder={props.placeholder}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget: { value } }) => {
            setText(value);
            const lines = value.split("\n").filter((line) => line.trim() !== "");
            field.set(lines.length > 0 ? lines.map(item) : undefined);
          }}
          onBlur={field.leave}
        />
      )}
    </Field>
  );
}

function numberOr(text: string): string | number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

import { useRef, useState } from "preact/hooks";

import { useAdded } from "./added";
import { useField } from "./draft";
import { Hint, type Said } from "./fields";

type Row = readonly [name: string, value: string];

/** Texts by their names, such as headers; without any it is left out. */
export function MapField(props: Said) {
  const field = useField<Record<string, string>>(props.path, { ...props, deep: true });
  const [rows, setRows] = useState<readonly Row[]>(() => Object.entries(field.value ?? {}));
  const box = useRef<HTMLFieldSetElement>(null);
  const added = useAdded(box);
  const change = (next: readonly Row[]) => {
    setRows(next);
    const named = next.filter(([name]) => name !== "");
    field.set(named.length > 0 ? Object.fromEntries(named) : undefined);
  };
  const put = (place: number, row: Row) => change(rows.map((one, at) => (at === place ? row : one)));
  const add = () => {
    setRows([...rows, ["", ""]]);
    added();
  };
  return (
    <fieldset
      ref={box}
      id={field.id}
      class={`field across named ${field.fault ? "wrong" : ""}`}
      aria-describedby={`${field.id}-said`}
    >
      <legend>{props.label}</legend>
      {rows.length > 0 && (
        <ul>
          {rows.map(([name, value], place) => (
            <li key={place}>
              <input
                class="code"
                aria-label={`${props.label}: name ${place + 1}`}
                placeholder="name"
                value={name}
                spellcheck={false}
                onInput={(event) => put(place, [event.currentTarget.value.trim(), value])}
                onBlur={field.leave}
              />
              <input
                class="code"
                aria-label={`${props.label}: value ${place + 1}`}
                placeholder="value"
                value={value}
                spellcheck={false}
                onInput={(event) => put(place, [name, event.currentTarget.value])}
                onBlur={field.leave}
              />
              <button
                type="button"
                aria-label={`Remove ${name || `line ${place + 1}`}`}
                onClick={() => change(rows.filter((_, at) => at !== place))}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" onClick={add}>
        Add a line
      </button>
      <Hint of={field} hint={props.hint} />
    </fieldset>
  );
}

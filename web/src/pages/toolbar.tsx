import { useEffect, useState } from "preact/hooks";

import { Icon } from "../parts/icons";
import { place, setQuery } from "../router";

const TYPING_MS = 250;

/** A text that narrows a list; it stands in the address, so what is shown can be shared. */
export function Search({ label }: { label: string }) {
  const given = place.value.query.get("q") ?? "";
  const [text, setText] = useState(given);
  useEffect(() => setText((typed) => (typed.trim() === given ? typed : given)), [given]);
  useEffect(() => {
    if (text === given) return;
    const timer = setTimeout(() => setQuery({ q: text.trim() }, { step: false }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">{label}</span>
      <input
        type="search"
        value={text}
        placeholder={label}
        maxLength={100}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  );
}

/** A choice that narrows a list. */
export function Choice(props: { name: string; label: string; options: readonly (readonly [string, string])[] }) {
  const chosen = place.value.query.get(props.name) ?? "";
  return (
    <label class="choice">
      <span class="unseen">{props.label}</span>
      <select value={chosen} onChange={(event) => setQuery({ [props.name]: event.currentTarget.value })}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** An id that narrows a list to what belongs to one thing. */
export function IdFilter({ name, label }: { name: string; label: string }) {
  const given = place.value.query.get(name) ?? "";
  return (
    <label class="choice">
      <span class="unseen">{label}</span>
      <input
        key={given}
        defaultValue={given}
        placeholder={`${label}'s id`}
        maxLength={64}
        size={14}
        onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
}

/** A day that narrows a list. */
export function DayFilter({ name, label }: { name: string; label: string }) {
  const given = place.value.query.get(name) ?? "";
  return (
    <label class="choice day">
      <span>{label}</span>
      <input
        key={given}
        type="date"
        defaultValue={given}
        max="9999-12-31"
        onChange={(event) => setQuery({ [name]: event.currentTarget.value })}
      />
    </label>
  );
}

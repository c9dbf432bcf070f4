import { useField } from "./draft";

const HOUR_MS = 3_600_000;

/** When something ends, in the reader's time; an empty one is when somebody ends it. */
export function UntilField({ path, label }: { path: string; label: string }) {
  const field = useField<string>(path, { label });
  return (
    <div class={`field ${field.fault ? "wrong" : ""}`}>
      <label for={field.id}>{label}</label>
      <span class="until">
        <input
          id={field.id}
          type="datetime-local"
          max="2200-12-31T23:59"
          aria-invalid={field.fault !== undefined}
          aria-describedby={`${field.id}-said`}
          value={field.value && localText(new Date(field.value))}
          onInput={({ currentTarget: { value } }) => field.set(value ? new Date(value).toISOString() : undefined)}
          onBlur={field.leave}
        />
        {LIKELY.map(([name, when]) => (
          <button key={name} type="button" onClick={() => field.set(when(new Date()).toISOString())}>
            {name}
          </button>
        ))}
      </span>
      <small id={`${field.id}-said`}>
        {field.fault && <span class="error">{field.fault} </span>}
        Your time. Empty: until somebody ends it.
      </small>
    </div>
  );
}

const LIKELY: readonly (readonly [string, (now: Date) => Date])[] = [
  ["1 hour", (now) => new Date(now.getTime() + HOUR_MS)],
  ["Tomorrow 6:00", (now) => morning(now, 1)],
  ["Monday 6:00", (now) => morning(now, (8 - now.getDay()) % 7 || 7)],
];

function morning(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 6);
}

function localText(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

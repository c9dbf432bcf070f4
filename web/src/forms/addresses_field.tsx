import { useField } from "./draft";

/** E-mail addresses, one a line. */
export function AddressesField(props: { path: string; label: string; hint: string; wide?: boolean }) {
  const { path, label, hint } = props;
  const field = useField<readonly string[]>(path, { label, deep: true });
  const { id } = field;
  return (
    <div class={`field ${field.fault ? "wrong" : ""} ${props.wide ? "across" : ""}`}>
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={3}
        value={(field.value ?? []).join("\n")}
        aria-invalid={field.fault !== undefined}
        aria-describedby={`${id}-said`}
        spellcheck={false}
        onInput={(event) => field.set(event.currentTarget.value ? event.currentTarget.value.split(/[\n,;]/) : [])}
        onBlur={() => {
          field.set((field.value ?? []).map((one) => one.trim()).filter(Boolean));
          field.leave();
        }}
      />
      <small id={`${id}-said`}>
        {field.fault && <span class="error">{field.fault}</span>} {hint}
      </small>
    </div>
  );
}

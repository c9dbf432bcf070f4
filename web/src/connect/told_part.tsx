import { type Draft, useField } from "../forms/draft";
import { CheckField, ChoiceField } from "../forms/fields";
import { Part } from "../forms/form";
import { count } from "../words";

/** Who is told how a run ended. */
export function ToldPart({ draft, isGroup }: { draft: Draft; isGroup: boolean }) {
  const told = (draft.values["notification"] ?? {}) as Record<string, unknown>;
  const mode = told["mode"] ?? "none";
  const hooks = [told["webhook"], told["on_success"]].flatMap((one) => (Array.isArray(one) ? one : []));
  return (
    <Part title="Who is told">
      <ChoiceField
        path="notification.mode"
        label="A message goes out"
        options={[
          ["always", "After success or failure"],
          ["failure", "On failure only"],
          ["none", "Never"],
        ]}
        hint={isGroup ? "One message at the end of a run, whatever happened to its jobs." : undefined}
      />
      {mode !== "none" && (
        <>
          <AddressesField path="notification.recipients" label="Recipients" hint="E-mail addresses, one a line." />
          <AddressesField
            path="notification.failure_recipients"
            label="Also told of failures"
            hint="They hear of failures alone."
          />
          <CheckField path="notification.on_rejects" label="Also when records were rejected" />
          <CheckField path="notification.on_recovery" label="Also when it succeeds again" />
          {isGroup && (
            <CheckField path="notification.also_send_job_mails" label="Each of its jobs tells its own recipients too" />
          )}
        </>
      )}
      {hooks.length > 0 && (
        <p class="across faint">{count(hooks.length, "webhook")} stay as they are; the API changes them.</p>
      )}
    </Part>
  );
}

/** E-mail addresses, one a line. */
export function AddressesField({ path, label, hint }: { path: string; label: string; hint: string }) {
  const field = useField<readonly string[]>(path, { label, deep: true });
  const { id } = field;
  return (
    <div class={`field ${field.fault ? "wrong" : ""}`}>
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

import { useRef } from "preact/hooks";

import type { Fault } from "../api/client";
import { Icon } from "../parts/icons";
import { capital } from "../words";
import { useAdded } from "./added";
import { useField, useForm } from "./draft";
import { Hint, type Said, TextField } from "./fields";

interface Webhook {
  url?: string;
  secret?: string;
  previous_secret?: string;
}

/** Where programs are told: an address, and the names of the secrets that sign what is sent there. */
export function WebhooksField(props: Pick<Said, "path" | "label" | "hint"> & { one: string }) {
  const { path, label, one } = props;
  const field = useField<readonly Webhook[]>(path, { label, deep: true });
  const fault = useForm().faultOf(path, { deep: false });
  const hooks = field.value ?? [];
  const box = useRef<HTMLFieldSetElement>(null);
  const added = useAdded(box);
  const add = () => {
    field.set([...hooks, {}]);
    added();
  };
  return (
    <fieldset ref={box} id={field.id} class="field across hooks" aria-describedby={`${field.id}-said`}>
      <legend>{label}</legend>
      {hooks.length > 0 && (
        <ul>
          {hooks.map((_, place) => (
            <li key={place} aria-label={`${capital(one)} ${place + 1}`}>
              <WebhookFields path={`${path}.${place}`} />
              <button
                type="button"
                aria-label={`Remove ${one} ${place + 1}`}
                onClick={() => field.set(hooks.filter((_, at) => at !== place))}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" onClick={add}>
        <Icon name="plus" /> Add a {one}
      </button>
      <Hint of={{ id: field.id, fault }} hint={props.hint} />
    </fieldset>
  );
}

function WebhookFields({ path }: { path: string }) {
  return (
    <div class="fields">
      <TextField
        path={`${path}.url`}
        label="URL"
        code
        required
        wide
        maxLength={2048}
        placeholder="https://hooks.example.org/jobs"
        hint="secret://name where it is secret itself."
      />
      <TextField
        path={`${path}.secret`}
        label="Signed with"
        code
        required
        maxLength={100}
        placeholder="secret://hook"
        hint="The name of a secret, never the secret itself."
      />
      <TextField
        path={`${path}.previous_secret`}
        label="And with, while keys are exchanged"
        code
        maxLength={100}
        placeholder="secret://hook-before"
      />
    </div>
  );
}

/** Says what webhooks lack. */
export function webhookLacks(path: string, hooks: unknown): readonly Fault[] {
  return ((hooks ?? []) as readonly Webhook[]).flatMap(({ url, secret }, place) => [
    ...(url ? [] : [{ path: `${path}.${place}.url`, detail: "An address is needed." }]),
    ...(secret ? [] : [{ path: `${path}.${place}.secret`, detail: "The name of the key that signs is needed." }]),
  ]);
}

/** Webhooks as a form begins with them: what is not there is left out. */
export function webhooksBegun(shown: readonly object[]): readonly Webhook[] {
  return shown.map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== null)));
}

import type { Fault, Schemas } from "../api/client";
import { AddressesField } from "../forms/addresses_field";
import type { Draft, Values } from "../forms/draft";
import { CheckField, ChoiceField } from "../forms/fields";
import { Part } from "../forms/form";
import { webhookLacks, webhooksBegun, WebhooksField } from "../forms/webhooks_field";

/** Who is told how a run ended. */
export function ToldPart({ draft, isGroup }: { draft: Draft; isGroup: boolean }) {
  const told = (draft.values["notification"] ?? {}) as Record<string, unknown>;
  const mode = told["mode"] ?? "none";
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
          <WebhooksField
            path="notification.webhook"
            label="Webhooks"
            one="webhook"
            hint="Programs that are told the same by a signed POST."
          />
          <CheckField path="notification.on_rejects" label="Also when records were rejected" />
          <CheckField path="notification.on_recovery" label="Also when it succeeds again" />
          {isGroup && (
            <CheckField path="notification.also_send_job_mails" label="Each of its jobs tells its own recipients too" />
          )}
        </>
      )}
      {isGroup && (
        <WebhooksField
          path="notification.on_success"
          label="Called after each success"
          one="webhook after success"
          hint="Whatever is chosen above, and after no other end."
        />
      )}
    </Part>
  );
}

/** Who is told, as a form begins with it. */
export function toldBegun(shown: Schemas["NotificationShown"] & { on_success?: readonly object[] }): Values {
  const called = shown.on_success && { on_success: webhooksBegun(shown.on_success) };
  return { ...shown, webhook: webhooksBegun(shown.webhook), ...called };
}

/** Says what the webhooks of who is told lack. */
export function hookLacks(values: Values): readonly Fault[] {
  const told = (values["notification"] ?? {}) as Values;
  return ["webhook", "on_success"].flatMap((name) => webhookLacks(`notification.${name}`, told[name]));
}

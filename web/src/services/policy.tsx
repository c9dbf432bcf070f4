import type { Schemas } from "../api/client";
import { alike, type Values } from "../forms/draft";
import { DurationField, NumberField, SelectField } from "../forms/fields";
import { Folded } from "../forms/form";
import { ListField } from "../forms/list_field";

type Policy = Values & { backoff?: Values };

/** What the service takes where nothing is said; a value that is the same need not be sent. */
const USUAL: Policy = {
  attempts: 1,
  backoff: { initial: "PT10S", factor: 2, max: "PT10M", jitter: 0.5 },
  timeout: null,
  wait_timeout: "PT1H",
  non_retryable: [],
};

/** Returns what of a job's policy is other than usual, as its form begins. */
export function policyOf(job: Pick<Schemas["ServiceItem"], "policy">, delivery: unknown): Values {
  const { backoff = {}, ...others } = job.policy as Policy;
  const waits = unlike(backoff, USUAL.backoff!);
  return { ...unlike(others, { ...USUAL, delivery }), ...(Object.keys(waits).length > 0 && { backoff: waits }) };
}

function unlike(values: Values, usual: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => !alike(value, usual[name])));
}

/** How often and how long a job is tried. */
export function PolicyFields({ delivery, isFlow }: { delivery: string | null | undefined; isFlow?: boolean }) {
  const usual = delivery === "at_least_once" ? "At least once" : "At most once";
  return (
    <Folded title="When it fails">
      <NumberField path="attempts" label="Attempts" min={1} max={100} hint="1, if nothing is said." />
      <DurationField path="timeout" label="Time limit of an attempt" usual="M" hint="None, if nothing is said." />
      {!isFlow && (
        <DurationField
          path="wait_timeout"
          label="Waits while it is busy elsewhere"
          usual="M"
          hint="At most an hour, if nothing is said."
        />
      )}
      <SelectField
        path="delivery"
        label="After a crash in the middle"
        empty={`${usual}, as the handler has it`}
        options={[
          ["at_least_once", "At least once: run it again"],
          ["at_most_once", "At most once: leave it failed"],
        ]}
      />
      <DurationField path="backoff.initial" label="First wait between attempts" usual="S" hint="Usually 10 seconds." />
      <NumberField path="backoff.factor" label="Each wait is longer by" step="any" min={1} max={100} unit="times" />
      <DurationField path="backoff.max" label="Longest wait between attempts" usual="M" hint="Usually 10 minutes." />
      <NumberField
        path="backoff.jitter"
        label="Share of a wait that is drawn"
        step={0.1}
        min={0}
        max={1}
        hint="From 0 to 1, usually 0.5: so that not all try again at once."
      />
      <ListField
        path="non_retryable"
        label="Errors that are not tried again"
        numbers="never"
        hint="As the runs name them."
      />
    </Folded>
  );
}

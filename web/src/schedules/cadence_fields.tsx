import { useForm } from "../forms/draft";
import { ChoiceField, NumberField, SelectField, TextField, ZoneField } from "../forms/fields";
import { timingsOf, typed, unitOf } from "./values";

const UNITS = [
  ["once", "Once"],
  ["minute", "Minute"],
  ["hour", "Hour"],
  ["day", "Day"],
  ["month", "Month"],
] as const;

/** When a schedule runs. */
export function CadenceFields({ zone }: { zone: string | undefined }) {
  const form = useForm();
  const values = typed(form.values);
  const { kind, unit, every, start_date } = values.cadence;
  /** Another unit may leave a way of keeping time impossible. */
  const suit = (unit: string) => {
    const timings = timingsOf(unit);
    const isPossible = timings.includes(values.policies?.timing ?? "");
    if (values.policies && !isPossible) form.set("policies.timing", timings[0]);
  };
  return (
    <>
      <ChoiceField
        path="cadence.kind"
        label="Cadence"
        options={[
          ["interval", "At an interval"],
          ["cron", "By a cron expression"],
        ]}
        whenChosen={(kind) => suit(unitOf({ ...values.cadence, kind: kind as "cron" }))}
      />
      {kind === "cron" ? (
        <TextField
          path="cadence.cron"
          label="Cron expression"
          code
          required
          wide
          maxLength={200}
          placeholder="30 6 * * mon-fri"
          hint="Minute, hour, day of month, month, day of week; L, LW and # are known."
        />
      ) : (
        <>
          <TextField path="cadence.start_date" label="Start date" type="date" required />
          <TextField path="cadence.start_time" label="Start time" type="time" required />
        </>
      )}
      <ZoneField path="cadence.time_zone" label="Time zone" required first={[zone]} />
      {kind === "interval" && (
        <>
          {unit !== "once" && (
            <NumberField
              path="cadence.every"
              label="Interval"
              required
              min={1}
              max={10_000}
              hint={often(every, unit)}
            />
          )}
          <SelectField
            path="cadence.unit"
            label="Interval type"
            options={UNITS}
            whenChosen={suit}
            hint={
              unit === "month" && Number(start_date?.slice(8)) > 28 ? "In shorter months on their last day." : undefined
            }
          />
        </>
      )}
    </>
  );
}

function often(every: number | undefined, unit = "day"): string | undefined {
  if (every === undefined) return undefined;
  return every === 1 ? `Every ${unit}.` : `Every ${every} ${unit}s.`;
}

import { useEffect, useRef } from "preact/hooks";

import { type Got, read } from "../api/client";
import { useField, useForm } from "../forms/draft";
import { DurationField, NumberField, type Option, SelectField, TextArea } from "../forms/fields";
import { Icon, type IconName } from "../parts/icons";
import { Lanes } from "../parts/lanes";
import { capital } from "../words";
import type { RowValues } from "./values";

/** What may stand in a job table. */
export interface Choices {
  service: readonly Option[];
  flow: readonly Option[];
}
type Kind = keyof Choices;
type Named = Pick<Got<"/v1/{workspace}/services">["items"][number], "id" | "name">;

export async function readChoices(workspace: string): Promise<Choices> {
  const [services, flows] = await Promise.all([
    read("/v1/{workspace}/services", { workspace }, { limit: 1000 }),
    read("/v1/{workspace}/flows", { workspace }, { limit: 1000 }),
  ]);
  const called = ({ id, name }: Named): Option => [id, name && name !== id ? `${name} (${id})` : id];
  return {
    service: services.items.map(called),
    flow: flows.items.filter((one) => one.trigger === "on_demand").map(called),
  };
}

let made = 0;

/** The jobs that a schedule runs, in rows and as lanes; rows move with their buttons, or with Alt and the arrow keys. */
export function JobTable({ choices }: { choices: Choices }) {
  const form = useForm();
  const field = useField<RowValues[]>("jobs", { label: "Jobs" });
  const rows = field.value ?? [];
  const list = useRef<HTMLOListElement>(null);
  const wanted = useRef<string | null>(null);

  useEffect(() => {
    const found = wanted.current && list.current?.querySelector<HTMLElement>(wanted.current);
    if (!found) return;
    wanted.current = null;
    found.focus();
  });

  const add = (kind: Kind) => {
    const key = `new-${++made}`;
    const seq = Math.max(0, ...rows.map((row) => row.seq ?? 0)) + 1;
    wanted.current = `[data-row="${key}"] select`;
    form.set("jobs", [...rows, { key, kind, seq, skip_wait: false }]);
  };
  const remove = (place: number) => {
    const next = rows[place + 1] ?? rows[place - 1];
    wanted.current = next ? `[data-row="${next.key}"] select` : null;
    form.set(
      "jobs",
      rows.filter((row) => row !== rows[place]),
    );
  };
  /** The row takes the place and the number of the one beside it, which takes its own. */
  const move = (place: number, by: -1 | 1) => {
    const [row, other] = [rows[place], rows[place + by]];
    if (!row || !other) return;
    wanted.current = `[data-row="${row.key}"] [data-move="${by}"]`;
    form.set(
      "jobs",
      rows.map((one) => (one === row ? { ...other, seq: row.seq } : one === other ? { ...row, seq: other.seq } : one)),
    );
  };

  return (
    <div class="across jobs" id={field.id} tabIndex={-1}>
      {rows.length > 0 && (
        <ol ref={list} class="rows" aria-label="Job table">
          {rows.map((row, place) => (
            <Row
              key={row.key}
              row={row}
              place={place}
              of={rows.length}
              options={choices[row.kind]}
              move={(by) => move(place, by)}
              remove={() => remove(place)}
            />
          ))}
        </ol>
      )}
      {field.fault && <p class="error">{field.fault}</p>}
      <div class="adding">
        {(["service", "flow"] as const).map((kind) => (
          <button
            key={kind}
            type="button"
            disabled={choices[kind].length === 0}
            title={choices[kind].length === 0 ? NONE[kind] : undefined}
            onClick={() => add(kind)}
          >
            <Icon name="plus" /> Add {kind}
          </button>
        ))}
        {choices.flow.length + choices.service.length === 0 && (
          <span class="faint">There is no service yet: add one on the Services tab first.</span>
        )}
      </div>
      {rows.length > 0 && (
        <Lanes rows={rows.map(({ kind, id = "", seq = 0, skip_wait }) => ({ job: { kind, id }, seq, skip_wait }))} />
      )}
    </div>
  );
}

const NONE: Record<Kind, string> = {
  service: "There is no service yet",
  flow: "There is no flow on demand yet",
};

interface RowProps {
  row: RowValues;
  place: number;
  of: number;
  options: readonly Option[];
  move: (by: -1 | 1) => void;
  remove: () => void;
}

function Row({ row, place, of, options, move, remove }: RowProps) {
  const { id, fault } = useField(`jobs.${place}`, { label: `Row ${place + 1}` });
  const called = row.id ?? `the new ${row.kind}`;
  const isNamed = options.some(([id]) => id === row.id);
  const all: readonly Option[] = row.id === undefined || isNamed ? options : [[row.id, row.id], ...options];
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key] as -1 | 1 | undefined;
    if (!event.altKey || by === undefined) return;
    event.preventDefault();
    move(by);
  };
  return (
    <li
      id={id}
      class="row"
      tabIndex={-1}
      data-row={row.key}
      aria-label={`Row ${place + 1} of ${of}: ${called}`}
      onKeyDown={onKeyDown}
    >
      <div class="cells">
        <JobField path={`jobs.${place}`} kind={row.kind} options={all} />
        <NumberField path={`jobs.${place}.seq`} label="Seq" min={1} max={10_000} />
        <SkipWait path={`jobs.${place}.skip_wait`} />
        <span class="moves">
          <Move label={`Move ${called} up`} icon="up" by={-1} isPossible={place > 0} move={move} />
          <Move label={`Move ${called} down`} icon="down" by={1} isPossible={place < of - 1} move={move} />
          <button type="button" class="quiet square" aria-label={`Remove ${called}`} title="Remove" onClick={remove}>
            <Icon name="trash" />
          </button>
        </span>
      </div>
      {fault && <p class="error">{fault}</p>}
      <details>
        <summary>Input and limits{row.input !== undefined && <span class="faint"> · has an input</span>}</summary>
        <div class="fields">
          <TextArea
            path={`jobs.${place}.input`}
            label="Input"
            code
            wide
            rows={3}
            maxLength={65_536}
            placeholder='{"since": "2026-01-01"}'
            hint="JSON that this job gets in every run of the schedule."
          />
          <NumberField
            path={`jobs.${place}.attempts`}
            label="Attempts"
            min={1}
            max={100}
            hint="Empty: as its job says."
          />
          <DurationField path={`jobs.${place}.timeout`} label="Timeout" hint="Of each attempt." />
          {row.kind === "flow" && (
            <DurationField
              path={`jobs.${place}.wait_timeout`}
              label="Wait at most"
              hint="Then the next stage begins although it is still suspended."
            />
          )}
          <SelectField
            path={`jobs.${place}.delivery`}
            label="If an attempt was interrupted"
            empty="As its job says"
            options={[
              ["at_least_once", "Try again"],
              ["at_most_once", "Do not try again"],
            ]}
          />
        </div>
      </details>
    </li>
  );
}

/** The job of a row; what is wrong with it the service says of its id. */
function JobField({ path, kind, options }: { path: string; kind: Kind; options: readonly Option[] }) {
  const form = useForm();
  const field = useField<string>(`${path}.job.id`, { label: capital(kind) });
  const row = form.values["jobs"] as RowValues[];
  const { id = "" } = row[Number(path.split(".")[1])] ?? {};
  return (
    <div class={`field ${field.fault ? "wrong" : ""}`}>
      <label for={field.id}>{capital(kind)}</label>
      <select
        id={field.id}
        value={id}
        aria-invalid={field.fault !== undefined}
        aria-describedby={`${field.id}-said`}
        onChange={(event) => form.set(`${path}.id`, event.currentTarget.value || undefined)}
        onBlur={field.leave}
      >
        <option value="">Choose …</option>
        {options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <small id={`${field.id}-said`}>{field.fault && <span class="error">{field.fault}</span>}</small>
    </div>
  );
}

function SkipWait({ path }: { path: string }) {
  const field = useField<boolean>(path, { label: "Skip wait" });
  return (
    <div class="field skip-wait">
      <label for={field.id}>Skip wait</label>
      <input
        id={field.id}
        type="checkbox"
        checked={field.value ?? false}
        title="Starts as soon as the schedule triggers, and nobody waits for it"
        onChange={(event) => field.set(event.currentTarget.checked)}
      />
    </div>
  );
}

function Move(props: { label: string; icon: IconName; by: -1 | 1; isPossible: boolean; move: (by: -1 | 1) => void }) {
  const { label, icon, by, isPossible, move } = props;
  return (
    <button
      type="button"
      class="quiet square"
      data-move={by}
      aria-label={label}
      aria-disabled={!isPossible}
      aria-keyshortcuts={by < 0 ? "Alt+ArrowUp" : "Alt+ArrowDown"}
      title={by < 0 ? "Up (Alt + ↑)" : "Down (Alt + ↓)"}
      onClick={() => isPossible && move(by)}
    >
      <Icon name={icon} />
    </button>
  );
}

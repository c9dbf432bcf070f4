import type { Schemas } from "../api/client";
import { type Deed, type Owner, reasonOf } from "../actions/deeds";
import { DeedButton, Tools } from "../actions/tools";
import { Strip } from "../calendar/strip";
import { copy, extend } from "../connect/extend";
import { editGroup } from "../connect/group_form";
import { editJob } from "../connect/job_form";
import { Ago, At, State, Tag } from "../parts/basics";
import type { Item } from "../parts/menu";
import type { Column } from "../parts/table";
import { go, to } from "../router";
import { capital, count, long, plain, relative, seconds, wallClock, zoneName, now } from "../words";
import { LastRun, Name, Paused, runsOf } from "./jobs_rows";

type GroupRow = Schemas["GroupItem"];
type ConnectJobRow = Schemas["ConnectJobItem"];
type CompletedRow = Schemas["CompletedJobItem"];
type SlotRow = GroupRow | ConnectJobRow;

export function groupColumns(workspace: string): readonly Column<GroupRow>[] {
  return [
    {
      title: "Group",
      kind: "wide",
      cell: (row) => (
        <>
          <Name id={row.id} name={row.name}>
            {count(row.jobs.length, "job")}
          </Name>
          <ol class="members">
            {row.jobs.map((member) => (
              <li
                key={member.row}
                class={member.reasons.length ? "bad" : ""}
                title={member.reasons.map(plain).join(", ")}
              >
                {member.name ?? member.job.id}
              </li>
            ))}
          </ol>
        </>
      ),
    },
    {
      title: "State",
      cell: (row) => (
        <>
          <State state={row.status} />
          <Paused pause={row.pause} />
          {row.current_job && (
            <small>
              job {row.current_job.place} of {row.current_job.of}
            </small>
          )}
          <Findings row={row} invalid={row.invalid} />
        </>
      ),
    },
    ...slotColumns<GroupRow>(),
    {
      title: "Last run",
      cell: (row) => (
        <>
          <LastRun workspace={workspace} row={row} />
          <Strip workspace={workspace} kind="group" row={row} next={row.next_run?.due} />
        </>
      ),
    },
    { title: "Actions", kind: "tools", cell: (row) => <GroupTools workspace={workspace} row={row} /> },
  ];
}

function GroupTools({ workspace, row }: { workspace: string; row: GroupRow }) {
  const edit = (id: string, position?: number) => void editGroup(workspace, id, position);
  return <Tools workspace={workspace} owner={asOwner(row)} more={entries(workspace, row, edit)} />;
}

function JobTools({ workspace, row }: { workspace: string; row: ConnectJobRow }) {
  const edit = (id: string, position?: number) => void editJob(workspace, id, position);
  return <Tools workspace={workspace} owner={asOwner(row)} more={entries(workspace, row, edit)} />;
}

/** The forms that a row of either kind opens, and the way to what became of it. */
function entries(workspace: string, row: SlotRow, edit: (id: string, position?: number) => void): readonly Item[] {
  const of = { kind: row.kind, id: row.id, name: row.name || row.id, expires_on: row.expires_on };
  const filter = row.kind === "group" ? "group" : "job";
  const all: readonly (readonly [label: string, action: string, choose: () => void])[] = [
    ["Edit …", "save", () => edit(row.id)],
    ["Copy …", "copy", () => copy(workspace, of, edit)],
    ["Extend …", "set_expiration", () => extend(workspace, of)],
  ];
  const runs = () => go(to(workspace, "connect", "", { tab: "completed", [filter]: row.id }));
  return [
    { name: "runs", label: "Show its runs", reason: undefined, choose: runs },
    ...all.map(([label, action, choose]) => ({ name: action, label, reason: reasonOf(row.actions, action), choose })),
  ];
}

export function connectJobColumns(workspace: string): readonly Column<ConnectJobRow>[] {
  return [
    {
      title: "Job",
      kind: "wide",
      cell: (row) => (
        <Name id={row.id} name={row.name}>
          <Tag>{row.kind}</Tag>
          {row.subtype && <Tag>{plain(row.subtype)}</Tag>}
          {row.group && (
            <Tag tone="mark" title="It runs in its turn in this group">
              in {row.group.id}
            </Tag>
          )}
        </Name>
      ),
    },
    {
      title: "State",
      cell: (row) => (
        <>
          <State state={row.running ? "running" : row.state} />
          <Paused pause={row.pause} />
          <Findings row={row} invalid={[]} />
        </>
      ),
    },
    ...slotColumns<ConnectJobRow>(),
    { title: "Last run", cell: (row) => <LastResult workspace={workspace} row={row} /> },
    { title: "Actions", kind: "tools", cell: (row) => <JobTools workspace={workspace} row={row} /> },
  ];
}

function slotColumns<Row extends SlotRow>(): readonly Column<Row>[] {
  return [
    {
      title: "Schedule",
      cell: (row) => (
        <>
          {row.schedule.describe}
          <small>{row.schedule.type === "on_demand" ? "" : zoneName(row.schedule.time_zone)}</small>
        </>
      ),
    },
    {
      title: "Next",
      cell: (row) =>
        row.next_run ? (
          <>
            <Ago at={row.next_run.due} />
            <small>{wallClock(row.next_run.local)}</small>
            <small>drawn in {row.next_run.window}</small>
          </>
        ) : (
          <span class="faint">{row.schedule.type === "on_demand" ? "on demand" : "–"}</span>
        ),
    },
    { title: "Expires", cell: (row) => <Expires row={row} /> },
    { title: "Told", cell: (row) => <ToldOf row={row} /> },
  ];
}

/** What is wrong or odd: what makes an active one invalid, what keeps another from being activated, and the warnings. */
function Findings({ row, invalid }: { row: SlotRow; invalid: SlotRow["warnings"] }) {
  const errors = row.state === "active" ? invalid : row.errors;
  if (errors.length + row.warnings.length === 0) return null;
  return (
    <span class="findings-of">
      {errors.map((one) => (
        <small key={one.detail} class="error">
          {capital(one.detail)}
        </small>
      ))}
      {row.warnings.map((one) => (
        <small key={one.detail} class="soon">
          {capital(one.detail)}
        </small>
      ))}
    </span>
  );
}

const MODES = { always: "of every end", failure: "of failures", none: "nobody" } as const;

function ToldOf({ row }: { row: SlotRow }) {
  const { mode, recipients, failure_recipients, webhook } = row.notification;
  const all = [...recipients, ...failure_recipients, ...webhook.map((one) => one.url)];
  if (mode === "none") return <span class="faint">{MODES.none}</span>;
  return (
    <span title={all.join(", ")}>
      {MODES[mode]}
      <small>{count(all.length, "recipient")}</small>
    </span>
  );
}

function Expires({ row }: { row: SlotRow }) {
  if (row.expired) return <Tag tone="bad">expired</Tag>;
  if (row.expires_on === null || row.days_left === null) return <span class="faint">never</span>;
  const left = row.days_left === 0 ? "today" : `in ${count(row.days_left, "day")}`;
  return (
    <span
      class={row.expires_soon ? "soon" : ""}
      title={`${row.on_expiry === "delete" ? "Deleted" : "Deactivated"} when ${row.expires_on} is over`}
    >
      {left}
      <small>{row.expires_on}</small>
    </span>
  );
}

function LastResult({ workspace, row }: { workspace: string; row: ConnectJobRow }) {
  const last = row.last_result;
  if (row.open_run || !last) return <LastRun workspace={workspace} row={row} />;
  return (
    <a class="run" href={to(workspace, "runs", last.run)}>
      <State state={last.state} title={last.reason ? plain(last.reason) : undefined} />
      <small>
        <Ago at={last.ended_at} />
      </small>
    </a>
  );
}

function asOwner(row: SlotRow): Owner {
  return {
    ...runsOf(row),
    id: row.id,
    kind: row.kind,
    name: row.name || row.id,
    active: row.state === "active",
    paused: row.pause !== null,
    actions: row.actions,
  };
}

export function completedColumns(workspace: string): readonly Column<CompletedRow>[] {
  return [
    {
      title: "Job",
      kind: "wide",
      cell: (row) => (
        <>
          <Name id={row.job.id} name={row.name}>
            <Tag>{row.job.kind}</Tag>
            {row.group && (
              <Tag tone="mark">
                job {row.position} of {row.group.id}
              </Tag>
            )}
          </Name>
          <a class="run-id" href={to(workspace, "runs", row.run)}>
            Run {shortened(row.run)}
          </a>
        </>
      ),
    },
    {
      title: "Result",
      cell: (row) => (
        <a class="run" href={to(workspace, "runs", row.run)}>
          <State state={row.state} />
          {row.has_rejects && <Tag tone="warn">rejects</Tag>}
          {row.error && <small class="error">{row.error}</small>}
        </a>
      ),
    },
    { title: "Records", kind: "number", cell: (row) => <Counts counts={row.counts} /> },
    {
      title: "Started",
      cell: (row) => (
        <>
          {row.started_at ? <At at={row.started_at} /> : <span class="faint">–</span>}
          <small title={`Ended ${long(row.ended_at)}`}>ended {relative(row.ended_at, now.value)}</small>
        </>
      ),
    },
    {
      title: "Took",
      kind: "number",
      cell: (row) => <span>{row.duration_s === null ? "–" : seconds(row.duration_s)}</span>,
    },
    { title: "Started by", cell: (row) => plain(row.trigger) },
    {
      title: "Actions",
      kind: "tools",
      cell: (row) => (
        <div class="deeds">
          <DeedButton
            workspace={workspace}
            deed={again(row)}
            reason={reasonOf(row.actions, "run_again")}
            of={row.name}
          />
        </div>
      ),
    },
  ];
}

const SHOWN_CHARS = 28;

function shortened(id: string): string {
  return id.length > SHOWN_CHARS ? `…${id.slice(1 - SHOWN_CHARS)}` : id;
}

function again(row: CompletedRow): Deed {
  return {
    name: "run_again",
    label: "Run again",
    title: `Run ${row.name} again?`,
    command: "RunNow",
    fields: { owner: row.job },
    done: "Started",
  };
}

export function Counts({ counts }: { counts: Record<string, number> | null }) {
  const shown = Object.entries(counts ?? {}).filter(([, number]) => number > 0);
  if (shown.length === 0) return <span class="faint">–</span>;
  return (
    <span class="counts">
      {shown.map(([name, number]) => (
        <span key={name} class={name === "rejected" && number > 0 ? "bad" : ""}>
          {number.toLocaleString("en")} {plain(name)}
        </span>
      ))}
    </span>
  );
}

import type { Schemas } from "../api/client";
import { reasonOf } from "../actions/deeds";
import { Tools } from "../actions/tools";
import { Strip } from "../calendar/strip";
import { Ago, Bar, State, Tag } from "../parts/basics";
import type { Column } from "../parts/table";
import { to } from "../router";
import { editAlerts } from "../schedules/alerts";
import { editCadence, editSchedule } from "../schedules/forms";
import { cadence, capital, count, long, plain, wallClock, zoneName } from "../words";

export type ScheduleRow = Schemas["ScheduleItem"];
type Runs = Pick<ScheduleRow, "open_run" | "last_run">;

export function scheduleColumns(workspace: string): readonly Column<ScheduleRow>[] {
  return [
    {
      title: "Schedule",
      kind: "wide",
      cell: (row) => (
        <Name id={row.id} name={row.description}>
          <Marks managed={row.managed} drift={row.drift} />
          {row.drifted_from_label && <Tag title="Its moments have moved away from the time of its label">moved on</Tag>}
        </Name>
      ),
    },
    {
      title: "State",
      cell: (row) => (
        <>
          <State
            state={row.active ? "active" : "inactive"}
            title={`${capital(row.activity.set_by)}, ${long(row.activity.at)}`}
          />
          <Paused pause={row.pause} />
        </>
      ),
    },
    {
      title: "Runs",
      cell: (row) => (
        <>
          {cadence(row.cadence)}
          <small>
            {zoneName(row.cadence.time_zone)} · {count(row.jobs.length, "job")}
          </small>
        </>
      ),
    },
    {
      title: "Next",
      cell: (row) =>
        row.next_due && row.active ? (
          <>
            <Ago at={row.next_due.due} />
            <small>{wallClock(row.next_due.local)}</small>
            {row.next_due.blackout && (
              <Tag tone="warn">blackout: {row.next_due.blackout.note || row.next_due.blackout.calendar}</Tag>
            )}
          </>
        ) : (
          <span class="faint">–</span>
        ),
    },
    {
      title: "Last run",
      cell: (row) => (
        <>
          <LastRun workspace={workspace} row={row} />
          <Strip workspace={workspace} kind="schedule" row={row} next={row.next_due?.due} />
        </>
      ),
    },
    {
      title: "Actions",
      kind: "tools",
      cell: (row) => (
        <Tools
          workspace={workspace}
          more={[
            {
              name: "edit",
              label: "Edit …",
              reason: reasonOf(row.actions, "edit_jobs"),
              choose: () => editSchedule(workspace, row.id),
            },
            {
              name: "edit_cadence",
              label: "Edit cadence …",
              reason: reasonOf(row.actions, "edit_cadence"),
              choose: () => editCadence(workspace, row.id),
            },
            {
              name: "edit_alerts",
              label: "Alerts …",
              reason: reasonOf(row.actions, "edit_alerts"),
              choose: () => void editAlerts(workspace, row.id),
            },
          ]}
          owner={{
            ...runsOf(row),
            id: row.id,
            kind: "schedule",
            name: row.description || row.id,
            active: row.active,
            paused: row.pause !== null,
            overridden: isOverridden(row.managed),
            deleted: row.deleted,
            actions: row.actions,
          }}
        />
      ),
    },
  ];
}

export function runsOf(row: Runs): { openRun: string | null; lastRun: string | null } {
  return { openRun: row.open_run?.id ?? null, lastRun: row.last_run?.id ?? null };
}

/** What people call a thing, and below it the id that everything else calls it by. */
export function Name({ id, name, children }: { id: string; name: string; children?: preact.ComponentChildren }) {
  return (
    <div class="name">
      <strong>{name || id}</strong>
      <small>
        {name && <code>{id}</code>}
        {children}
      </small>
    </div>
  );
}

function isOverridden(managed: ScheduleRow["managed"]): boolean {
  return Object.keys(managed?.overrides ?? {}).length > 0;
}

const DRIFTS: Record<string, string> = {
  cadence: "other cadence",
  deleted: "deleted here",
  own: "built here",
};

export function Marks({ managed, drift }: Pick<ScheduleRow, "managed" | "drift">) {
  return (
    <>
      {managed && (
        <Tag tone="mark" title={`From the integration ${managed.integration}: ${managed.features.join(", ")}`}>
          managed
        </Tag>
      )}
      {isOverridden(managed) && (
        <Tag tone="warn" title="Its cadence was changed here, and syncs leave that alone">
          overridden
        </Tag>
      )}
      {drift.map((what) => (
        <Tag key={what} tone="warn" title="It differs from its definition">
          {DRIFTS[what] ?? what}
        </Tag>
      ))}
    </>
  );
}

export function Paused({ pause }: { pause: Schemas["PauseShown"] | null }) {
  if (!pause) return null;
  const until = pause.until ? `until ${long(pause.until)}` : "until somebody ends it";
  return (
    <Tag tone="warn" title={[until, pause.note].filter(Boolean).join(": ")}>
      paused
    </Tag>
  );
}

/** The run that is open, and how far it is; else how the last one ended. */
export function LastRun({ workspace, row }: { workspace: string; row: Runs }) {
  const { open_run: open, last_run: last } = row;
  if (open) {
    return (
      <a class="run" href={to(workspace, "runs", open.id)}>
        {open.suspended ? (
          <State state="suspended" title={`${count(open.suspended, "flow")} wait for a callback`} />
        ) : (
          <State state={open.state ?? "running"} />
        )}
        {open.progress != null && <Bar share={open.progress} label="How far the run is" />}
        {open.stage != null && (
          <small>
            stage {open.stage} of {open.of}
          </small>
        )}
      </a>
    );
  }
  if (!last) return <span class="faint">never ran</span>;
  return (
    <a class="run" href={to(workspace, "runs", last.id)}>
      <State state={last.state} title={last.reason ? plain(last.reason) : undefined} />
      {last.ended_at && (
        <small>
          <Ago at={last.ended_at} />
        </small>
      )}
    </a>
  );
}

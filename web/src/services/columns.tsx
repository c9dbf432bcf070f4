import { type Allowed, reasonOf } from "../actions/deeds";
import { Tools } from "../actions/tools";
import type { Schemas } from "../api/client";
import { Tag } from "../parts/basics";
import type { Item } from "../parts/menu";
import type { Column } from "../parts/table";
import { LastRun, Marks, Name, runsOf } from "../pages/jobs_rows";
import { Users } from "../parts/users";
import { plain } from "../words";
import { openFlowForm } from "./flow_form";
import { openServiceForm } from "./service_form";

type Flow = Schemas["FlowItem"];
export type JobRow = Schemas["ServiceItem"] | Flow;

const ON_DEMAND = "on_demand";
const INACTIVE: Record<string, string> = {
  flow: "It is not active: nothing runs it",
  feature: "Its feature is not active: only people and schedules start it",
  integration: "Its integration is inactive: only people and schedules start it",
};

/** Services and flows, with what uses them. */
export function jobColumns(workspace: string): readonly Column<JobRow>[] {
  return [
    {
      title: "Name",
      kind: "wide",
      cell: (row) => (
        <Name id={row.id} name={row.name === row.id ? "" : row.name}>
          <Marks managed={row.managed} drift={row.drift} />
          {isFlow(row) && row.inactive_by !== null && (
            <Tag title={INACTIVE[row.inactive_by]}>{row.inactive_by === "flow" ? "inactive" : "not triggered"}</Tag>
          )}
        </Name>
      ),
    },
    {
      title: "Does",
      cell: (row) => (
        <>
          {(!isFlow(row) && row.type) || <code>{row.handler}</code>}
          {isFlow(row) && <Trigger of={row.trigger} />}
        </>
      ),
    },
    { title: "Used by", cell: (row) => <Users workspace={workspace} of={row.used_by} /> },
    { title: "Last run", cell: (row) => <LastRun workspace={workspace} row={row} /> },
    {
      title: "Actions",
      kind: "tools",
      cell: (row) => (
        <Tools
          workspace={workspace}
          owner={{
            ...runsOf(row),
            id: row.id,
            kind: row.kind,
            name: row.name || row.id,
            active: true,
            paused: false,
            deleted: row.deleted,
            actions: withUsers(row),
          }}
          more={[editing(workspace, row)]}
        />
      ),
    },
  ];
}

function isFlow(row: JobRow): row is Flow {
  return row.kind === "flow";
}

function Trigger({ of }: { of: string }) {
  return of === ON_DEMAND ? (
    <small>on demand</small>
  ) : (
    <small title="Only flows on demand can stand in a schedule">on {plain(of)}; not for schedules</small>
  );
}

/** Says by whom a job is used where that keeps it from being deleted. */
function withUsers({ actions, used_by }: JobRow): Record<string, Allowed> {
  const refusal = actions["delete"];
  if (typeof refusal !== "object" || refusal.code !== "in_use") return actions;
  const users = used_by.map((one) => one.id).join(", ");
  return { ...actions, delete: { ...refusal, reason: `it is used by ${users}: take it out there first` } };
}

function editing(workspace: string, row: JobRow): Item {
  const name = isFlow(row) ? "edit" : "configure";
  return {
    name,
    label: isFlow(row) ? "Edit …" : "Configure …",
    reason: reasonOf(row.actions as Record<string, Allowed>, name),
    choose: () => void (isFlow(row) ? openFlowForm(workspace, row.id) : openServiceForm(workspace, row.id)),
  };
}

import { type Deed, reasonOf } from "../actions/deeds";
import { ask } from "../actions/dialog";
import { ActButton } from "../actions/tools";
import { ofKinds, useView } from "../live/view";
import { Empty } from "../pages/empty";
import { Name } from "../pages/jobs_rows";
import { Ago, Loading, Nothing, Trouble } from "../parts/basics";
import { Menu } from "../parts/menu";
import { type Column, Table } from "../parts/table";
import { Users } from "../parts/users";
import { go, to } from "../router";
import { hasRole, HISTORIANS, lacking } from "../session";
import { count, zoneName } from "../words";
import { type Calendar, KINDS } from "./entries";
import { addCalendar, editCalendar } from "./form";

const MOST = 1000;
const CONCERNS = ofKinds("calendar", "schedule");

/** The blackout calendars of a workspace. */
export function Blackouts({ workspace, q }: { workspace: string; q: string | undefined }) {
  const { data, problem, reload } = useView("/v1/{workspace}/calendars", { workspace }, { q, limit: MOST }, CONCERNS);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      {data.items.length === 0 && q ? (
        <Nothing title="Nothing here matches" />
      ) : data.items.length === 0 ? (
        <Empty
          title="Nothing is blacked out here"
          text="A blackout calendar says when schedules that name it start nothing: holidays, a freeze, a nightly backup."
        >
          <AddCalendar workspace={workspace} />
        </Empty>
      ) : (
        <Table label="Blackouts" columns={columns(workspace)} rows={data.items} keyOf={(row) => row.id} />
      )}
    </>
  );
}

export function AddCalendar({ workspace, isMain = false }: { workspace: string; isMain?: boolean }) {
  return (
    <ActButton
      label="Add a calendar"
      icon="plus"
      isMain={isMain}
      reason={lacking("operator", "administrator", "integration_author")}
      act={() => void addCalendar(workspace)}
    />
  );
}

function columns(workspace: string): readonly Column<Calendar>[] {
  return [
    { title: "Calendar", kind: "wide", cell: (row) => <Name id={row.id} name={row.name} /> },
    {
      title: "Blacks out",
      cell: (row) => (
        <>
          {KINDS.filter(({ kind }) => row[kind].length > 0)
            .map(({ kind, one, many }) => count(row[kind].length, one, many))
            .join(", ") || <span class="faint">nothing</span>}
          <small>{zoneName(row.time_zone)}</small>
        </>
      ),
    },
    { title: "Used by", cell: (row) => <Users workspace={workspace} of={row.used_by} /> },
    { title: "Saved", cell: (row) => <Ago at={row.saved_at} /> },
    { title: "Actions", kind: "tools", cell: (row) => <Tools workspace={workspace} of={row} /> },
  ];
}

function Tools({ workspace, of }: { workspace: string; of: Calendar }) {
  const reason = reasonOf(of.actions, "save");
  const isEmpty = KINDS.every(({ kind }) => of[kind].length === 0);
  return (
    <div class="deeds">
      <ActButton label="Edit …" reason={reason} act={() => void editCalendar(workspace, of.id)} />
      <Menu
        label={`More about ${of.name}`}
        items={[
          {
            name: "history",
            label: "Show its history",
            reason: hasRole(...HISTORIANS) ? undefined : `it needs one of: ${HISTORIANS.join(", ")}`,
            choose: () => go(to(workspace, "history", "", { stream: `calendar:${of.id}` })),
          },
          {
            name: "empty",
            label: "Take everything out",
            reason: reason ?? (isEmpty ? "nothing is in it" : undefined),
            harsh: true,
            choose: () => ask(workspace, emptying(of)),
          },
          {
            name: "delete",
            label: "Delete",
            reason: "a calendar stays, as what it skipped names it: take everything out instead",
            harsh: true,
            choose: () => undefined,
          },
        ]}
      />
    </div>
  );
}

/** A calendar stays, as what was skipped once names it; without entries it lets everything start. */
function emptying({ id, name, time_zone }: Calendar): Deed {
  return {
    name: "empty",
    label: "Take everything out",
    title: `Take everything out of ${name}, so that nothing is skipped any more?`,
    command: "SaveCalendar",
    fields: { id, name, time_zone },
    harsh: true,
    done: "Done",
  };
}

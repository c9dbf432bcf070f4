import { useEffect, useState } from "preact/hooks";

import { ofKinds, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { type Column, FIRST as LIMIT, more, Table } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { place, setQuery } from "../router";
import { completedColumns, connectJobColumns, groupColumns } from "./connect_rows";
import { Choice, Search } from "./toolbar";

const ALL = "/v1/{workspace}/manage-connect/all-jobs";
const COMPLETED = "/v1/{workspace}/manage-connect/completed-jobs";
const GROUPS = "/v1/{workspace}/manage-connect/group-jobs";
const CONCERNS = ofKinds("group", "groups", "job", "run", "starts");

const STATES = [
  ["", "Any state"],
  ["active", "Active"],
  ["inactive", "Inactive"],
  ["draft", "Draft"],
] as const;
const RESULTS = [
  ["", "Any result"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["aborted", "Stopped"],
] as const;
const TYPES = [
  ["", "Any schedule"],
  ["on_demand", "On demand"],
  ["once", "Once"],
  ["hourly", "Hourly"],
  ["daily", "Daily"],
  ["weekly", "Weekly"],
  ["monthly", "Monthly"],
] as const;
const TABS = [
  { id: "all", label: "All jobs" },
  { id: "completed", label: "Completed jobs" },
  { id: "groups", label: "Group jobs" },
];

/** The Manage Connect page: jobs that load and export data, what became of them, and groups that run them in order. */
export function Connect() {
  const { query } = place.value;
  const tab = TABS.find((one) => one.id === query.get("tab"))?.id ?? "all";
  return (
    <>
      <div class="title">
        <h1>Manage Connect</h1>
        <div class="toolbar">
          {tab === "completed" ? (
            <Choice name="result" label="Result" options={RESULTS} />
          ) : (
            <>
              <Search label={tab === "groups" ? "Search groups" : "Search jobs"} />
              <Choice name="state" label="State" options={STATES} />
              <Choice name="type" label="Schedule" options={TYPES} />
            </>
          )}
        </div>
      </div>
      <Tabs label="Manage Connect" tabs={TABS} chosen={tab} choose={(chosen) => setQuery({ tab: chosen })}>
        <Tab key={tab} tab={tab} />
      </Tabs>
    </>
  );
}

function Tab({ tab }: { tab: string }) {
  const { workspace, query } = place.value;
  const filters = {
    q: query.get("q") || undefined,
    state: query.get("state") || undefined,
    schedule_type: query.get("type") || undefined,
  };
  if (tab === "completed") {
    return (
      <List
        path={COMPLETED}
        filters={{ state: query.get("result") || undefined }}
        columns={completedColumns(workspace)}
        keyOf={(row) => `${row.run}/${row.row}`}
        label="Completed jobs"
        empty={[
          "Nothing ended in the last seven days",
          "A job stands here as soon as it has run, alone or in a group.",
        ]}
      />
    );
  }
  if (tab === "groups") {
    return (
      <List
        path={GROUPS}
        filters={filters}
        columns={groupColumns(workspace)}
        keyOf={(row) => row.id}
        label="Group jobs"
        empty={["No groups", "A group runs import jobs one after another, and the first that fails ends it."]}
      />
    );
  }
  return (
    <List
      path={ALL}
      filters={filters}
      columns={connectJobColumns(workspace)}
      keyOf={(row) => row.id}
      label="All jobs"
      empty={["No jobs", "Imports, exports, feeds and jobs of partners stand here."]}
    />
  );
}

type ListPath = typeof ALL | typeof COMPLETED | typeof GROUPS;
type Part<Row> = { items: readonly Row[]; next: string | null };

function List<Row>(props: {
  path: ListPath;
  filters: Record<string, string | undefined>;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  label: string;
  empty: readonly [string, string];
}) {
  const { path, filters } = props;
  const { workspace } = place.value;
  const [limit, setLimit] = useState(LIMIT);
  useEffect(() => setLimit(LIMIT), [JSON.stringify(filters)]);
  const view = useView(path, { workspace }, { ...filters, limit }, CONCERNS);
  const { problem, reload } = view;
  const data = view.data as unknown as Part<Row> | undefined;

  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const rows = data.items;
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      {rows.length > 0 ? (
        <Table {...props} rows={rows} more={data.next === null ? undefined : () => setLimit(more(limit))} />
      ) : isFiltered ? (
        <Nothing title="Nothing here matches" />
      ) : (
        <Nothing title={props.empty[0]}>{props.empty[1]}</Nothing>
      )}
    </>
  );
}

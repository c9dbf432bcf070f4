import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { type Allowed, reasonOf } from "../actions/deeds";
import { ActButton } from "../actions/tools";
import type { Problem } from "../api/client";
import "../connect/connect.css";
import { createGroup } from "../connect/group_form";
import { createJob } from "../connect/job_form";
import type { Row as ShownRow } from "../live/concern";
import { ofKinds, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { after, End, PART } from "../parts/pager";
import { type Column, Table } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { place, setQuery } from "../router";
import { completedColumns, connectJobColumns, groupColumns } from "./connect_rows";
import { Choice, DayFilter, IdFilter, Search } from "./toolbar";

const ALL = "/v1/{workspace}/manage-connect/all-jobs";
const COMPLETED = "/v1/{workspace}/manage-connect/completed-jobs";
const GROUPS = "/v1/{workspace}/manage-connect/group-jobs";
const CONCERNS = ofKinds("group", "groups", "job", "run", "starts");
const ENDS = ofKinds("group", "groups", "job");

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
const KINDS = [
  ["", "Any type"],
  ["import", "Imports"],
  ["export", "Exports"],
  ["partner", "Partners"],
  ["feed", "Feeds"],
] as const;
const RUNNING = [
  ["", "Running or not"],
  ["true", "Running"],
  ["false", "Not running"],
] as const;
const GROUPED = [
  ["", "In a group or free"],
  ["true", "In a group"],
  ["false", "Free"],
] as const;
const VALIDITY = [
  ["", "Valid or not"],
  ["true", "Invalid"],
  ["false", "Valid"],
] as const;
const EXPIRY = [
  ["", "Any expiry"],
  ["true", "Expiring in 7 days"],
  ["false", "Not expiring soon"],
] as const;
const ORDERS = [
  ["", "By name"],
  ["next_run", "By next run"],
] as const;
const TRIGGERS = [
  ["", "Started by anything"],
  ["scheduled", "Its schedule"],
  ["catch_up", "Catching up"],
  ["manual", "A person"],
] as const;
const TABS = [
  { id: "all", label: "All jobs" },
  { id: "completed", label: "Completed jobs" },
  { id: "groups", label: "Group jobs" },
];

/** The Manage Connect page: jobs that load and export data, what became of them, and groups that run them in order. */
export function Connect() {
  const { workspace, query } = place.value;
  const tab = TABS.find((one) => one.id === query.get("tab"))?.id ?? "all";
  const [actions, setActions] = useState<Record<string, Allowed>>();
  const clear = { state: "", type: "", running: "", result: "", trigger: "" };
  return (
    <>
      <div class="title">
        <h1>Manage Connect</h1>
        {actions && (
          <div class="toolbar">
            {"create_job" in actions && (
              <ActButton
                label="Create job"
                icon="plus"
                reason={reasonOf(actions, "create_job")}
                act={() => void createJob(workspace)}
              />
            )}
            <ActButton
              label="Create group"
              icon="plus"
              reason={reasonOf(actions, "create_group")}
              act={() => void createGroup(workspace)}
            />
          </div>
        )}
      </div>
      <Tabs label="Manage Connect" tabs={TABS} chosen={tab} choose={(chosen) => setQuery({ ...clear, tab: chosen })}>
        <Tab key={tab} tab={tab} tell={setActions} />
      </Tabs>
    </>
  );
}

interface TabProps {
  tab: string;
  /** Is called with what may be done on the tab as a whole. */
  tell: (actions: Record<string, Allowed>) => void;
}

function Tab({ tab, tell }: TabProps) {
  const { workspace, query } = place.value;
  const given = (name: string) => query.get(name) || undefined;
  const shared = {
    q: given("q"),
    state: given("state"),
    schedule_type: given("type"),
    running: given("running"),
    expiring: given("expiring"),
    order: given("order"),
  };
  if (tab === "completed") {
    return (
      <List
        path={COMPLETED}
        tell={tell}
        filters={{
          state: given("result"),
          trigger: given("trigger"),
          job: given("job"),
          group: given("group"),
          since: dayBegins(given("since")),
          until: dayEnds(given("until")),
        }}
        tools={
          <>
            <Choice name="result" label="Result" options={RESULTS} />
            <Choice name="trigger" label="Started by" options={TRIGGERS} />
            <IdFilter name="job" label="Job" />
            <IdFilter name="group" label="Group" />
            <DayFilter name="since" label="From" />
            <DayFilter name="until" label="Until" />
          </>
        }
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
        tell={tell}
        filters={{ ...shared, invalid: given("invalid") }}
        tools={
          <>
            <Search label="Search groups" />
            <Choice name="state" label="State" options={STATES} />
            <Choice name="type" label="Schedule" options={TYPES} />
            <Choice name="running" label="Running" options={RUNNING} />
            <Choice name="invalid" label="Validity" options={VALIDITY} />
            <Choice name="expiring" label="Expiry" options={EXPIRY} />
            <Choice name="order" label="Order" options={ORDERS} />
          </>
        }
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
      tell={tell}
      filters={{ ...shared, kind: given("kind"), grouped: given("grouped") }}
      tools={
        <>
          <Search label="Search jobs" />
          <Choice name="kind" label="Type" options={KINDS} />
          <Choice name="state" label="State" options={STATES} />
          <Choice name="type" label="Schedule" options={TYPES} />
          <Choice name="running" label="Running" options={RUNNING} />
          <Choice name="grouped" label="Group" options={GROUPED} />
          <Choice name="expiring" label="Expiry" options={EXPIRY} />
          <Choice name="order" label="Order" options={ORDERS} />
        </>
      }
      columns={connectJobColumns(workspace)}
      keyOf={(row) => row.id}
      label="All jobs"
      empty={["No jobs", "Imports, exports, feeds and jobs of partners stand here."]}
    />
  );
}

/** Returns when a day of the reader's calendar begins. */
function dayBegins(day: string | undefined): string | undefined {
  const at = new Date(`${day}T00:00`);
  return day === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** Returns when the day after it begins: what ends on the last day counts too. */
function dayEnds(day: string | undefined): string | undefined {
  const begins = dayBegins(day);
  if (begins === undefined) return undefined;
  const at = new Date(begins);
  at.setDate(at.getDate() + 1);
  return at.toISOString();
}

type ListPath = typeof ALL | typeof COMPLETED | typeof GROUPS;
type Part<Row> = { items: readonly Row[]; next: string | null; actions: Record<string, Allowed> };

function rowsOf(answer: unknown) {
  return (answer as Part<ShownRow>).items;
}

function List<Row>(props: {
  path: ListPath;
  filters: Record<string, string | undefined>;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  label: string;
  empty: readonly [string, string];
  /** What narrows the list. */
  tools: ComponentChildren;
  tell: TabProps["tell"];
}) {
  const { path, filters, tell } = props;
  const { workspace } = place.value;
  const part = { cursor: after(), limit: PART };
  const isOfRuns = filters.running !== undefined || filters.order !== undefined;
  const [concerns, shown] = path === COMPLETED ? [ENDS, undefined] : [CONCERNS, isOfRuns ? undefined : rowsOf];
  const view = useView(path, { workspace }, { ...filters, ...part }, concerns, shown);
  const { problem, reload } = view;
  const data = view.data as unknown as Part<Row> | undefined;
  useEffect(() => data && tell(data.actions), [data]);

  return (
    <>
      <div class="toolbar narrowing">{props.tools}</div>
      <Rows {...props} data={data} problem={problem} reload={reload} />
    </>
  );
}

interface RowsProps<Row> {
  data: Part<Row> | undefined;
  problem: Problem | undefined;
  reload: () => void;
  filters: Record<string, string | undefined>;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  label: string;
  empty: readonly [string, string];
}

function Rows<Row>({ data, problem, reload, filters, ...props }: RowsProps<Row>) {
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const rows = data.items;
  const isFiltered = Object.entries(filters).some(([name, value]) => value !== undefined && name !== "order");
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      {rows.length > 0 ? (
        <Table {...props} rows={rows} next={data.next} />
      ) : after() ? (
        <End />
      ) : isFiltered ? (
        <Nothing title="Nothing here matches" />
      ) : (
        <Nothing title={props.empty[0]}>{props.empty[1]}</Nothing>
      )}
    </>
  );
}

import { useEffect, useState } from "preact/hooks";

import { HOLD, release } from "../actions/deeds";
import { ask } from "../actions/dialog";
import { ActButton } from "../actions/tools";
import type { Asked, Got } from "../api/client";
import { openCrontab } from "../begin/crontab";
import { FirstSteps } from "../begin/first_steps";
import { Integrations } from "../integrations/section";
import { ofKinds, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { Menu } from "../parts/menu";
import { FIRST, more, Table } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { place, setQuery } from "../router";
import { Detail } from "../schedules/detail";
import { addSchedule } from "../schedules/forms";
import { jobColumns, type JobRow } from "../services/columns";
import { openFlowForm } from "../services/flow_form";
import { openServiceForm } from "../services/service_form";
import { lacking, me } from "../session";
import { long } from "../words";
import { Empty } from "./empty";
import { scheduleColumns, type ScheduleRow } from "./jobs_rows";
import { Choice, Search } from "./toolbar";

const PATH = "/v1/{workspace}/jobs-page";
const CONCERNS = ofKinds("schedule", "service", "flow", "run", "integration", "definition", "starts", "workspace");

const TABS = [
  ["active", "Active"],
  ["onboarding", "Onboarding"],
  ["maintenance", "Maintenance"],
  ["workspace", "Workspace schedules"],
  ["services", "Services"],
  ["flows", "Flows"],
] as const;
const INTEGRATIONS = "integrations";
const FLOW_AUTHOR = "flow_author";
type SectionName = (typeof TABS)[number][0];
type Page = Got<typeof PATH>;
type Filters = Partial<NonNullable<Asked<typeof PATH>>>;

const EMPTY: Record<SectionName, [string, string]> = {
  active: ["No schedules of active features", "An integration's schedules stand here while their feature is Active."],
  onboarding: [
    "No schedules in onboarding",
    "An integration's schedules stand here while their feature is being onboarded.",
  ],
  maintenance: [
    "No schedules in maintenance",
    "An integration's schedules stand here while their feature is in maintenance.",
  ],
  workspace: ["No schedules of this workspace's own", "A schedule that belongs to no integration stands here."],
  services: ["No services", "A service is a job that schedules run: a load, an export, a call, a program."],
  flows: ["No flows", "A flow is a job of several steps that schedules or others start."],
};

function section(page: Page, name: SectionName) {
  return name === "services" ? page.services : name === "flows" ? page.flows : page.schedules[name];
}

/** The Jobs page: schedules by the status of their feature, and what they run. */
export function Jobs() {
  const { workspace, query } = place.value;
  const filters: Filters = {
    q: query.get("q") || undefined,
    state: (query.get("state") || undefined) as "active" | "inactive" | undefined,
    drift: query.get("drift") === "true" ? true : undefined,
  };
  const { data, problem, reload } = useView(PATH, { workspace }, { ...filters, limit: FIRST }, CONCERNS);
  const chosen = tabOf(query.get("tab"), data);

  return (
    <>
      <div class="title">
        <h1>Jobs</h1>
        <div class="toolbar">
          <Search label="Search jobs" />
          <Choice
            name="state"
            label="State"
            options={[
              ["", "Any state"],
              ["active", "Active"],
              ["inactive", "Inactive"],
            ]}
          />
          <Choice
            name="drift"
            label="Drift"
            options={[
              ["", "All"],
              ["true", "Drifted only"],
            ]}
          />
          <button type="button" class="quiet square" aria-label="Refresh" title="Refresh" onClick={reload}>
            <Icon name="refresh" />
          </button>
          {chosen === "services" || chosen === "flows" ? <AddButton name={chosen} isMain /> : <AddSchedule isMain />}
          <Menu
            label="More about all jobs"
            items={[
              {
                name: HOLD.name,
                label: HOLD.label,
                reason: lacking("operator", "administrator"),
                harsh: true,
                choose: () => ask(workspace, HOLD),
              },
            ]}
          />
        </div>
      </div>
      {data?.holds.map((hold) => (
        <Held key={hold.since} workspace={workspace} hold={hold} />
      ))}
      {data && !isFiltered(filters) && <FirstSteps workspace={workspace} page={data} />}
      <Tabs
        label="Sections"
        tabs={[
          ...TABS.map(([id, label]) => ({ id, label, count: data && section(data, id).count })),
          { id: INTEGRATIONS, label: "Integrations" },
        ]}
        chosen={chosen}
        choose={(tab) => setQuery({ tab })}
      >
        {problem && <Trouble problem={problem} again={reload} />}
        {chosen === INTEGRATIONS ? (
          <Integrations key={workspace} workspace={workspace} />
        ) : data ? (
          <Section key={chosen} name={chosen} page={data} filters={filters} />
        ) : (
          !problem && <Loading />
        )}
      </Tabs>
    </>
  );
}

/** Says that nothing starts, why and until when, and ends it. */
function Held({ workspace, hold }: { workspace: string; hold: Page["holds"][number] }) {
  const needed = hold.everywhere && !me.value?.workspaces.includes("*");
  return (
    <div class="notice" role="status">
      <Icon name="hold" />
      <p>
        <strong>All starts {hold.everywhere ? "everywhere" : "in this workspace"} are held</strong> by {hold.by} since{" "}
        {long(hold.since)}, {hold.until ? `until ${long(hold.until)}` : "until somebody releases them"}
        {hold.note && `: ${hold.note}`}.
      </p>
      <ActButton
        label="Release"
        reason={needed ? "it needs an administrator of all workspaces" : lacking("operator", "administrator")}
        act={() => ask(workspace, release(hold))}
      />
    </div>
  );
}

/** The tab that was asked for, else the first that has something. */
function tabOf(asked: string | null, page: Page | undefined): SectionName | typeof INTEGRATIONS {
  if (asked === INTEGRATIONS) return INTEGRATIONS;
  const known = TABS.map(([id]) => id);
  const found = known.find((id) => id === asked);
  return found ?? known.find((id) => page && section(page, id).count > 0) ?? "workspace";
}

interface Shown {
  name: SectionName;
  page: Page;
  filters: Filters;
}

/** The first rows of a section, which came with the page, or as many as were asked for since. */
function Section({ page, ...shown }: Shown) {
  const [limit, setLimit] = useState(FIRST);
  useEffect(() => setLimit(FIRST), [JSON.stringify(shown.filters)]);
  const grow = () => setLimit(more(limit));
  if (limit === FIRST) return <Rows {...shown} page={page} grow={grow} />;
  return <Longer {...shown} page={page} limit={limit} grow={grow} />;
}

function Longer({ page, limit, ...shown }: Shown & { limit: number; grow: () => void }) {
  const { workspace } = place.value;
  const query = { ...shown.filters, section: shown.name, limit };
  const { data, problem, reload } = useView(PATH, { workspace }, query, CONCERNS);
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      <Rows {...shown} page={data ?? page} />
    </>
  );
}

function Rows({ name, page, filters, grow }: Shown & { grow: () => void }) {
  const { workspace } = place.value;
  const { items, next } = section(page, name);
  if (items.length === 0) {
    const [title, text] = EMPTY[name];
    if (isFiltered(filters)) return <Nothing title="Nothing here matches" />;
    return (
      <Empty title={title} text={text}>
        <NextSteps name={name} />
      </Empty>
    );
  }
  const shared = {
    label: TABS.find(([id]) => id === name)![1],
    keyOf: (row: { id: string }) => row.id,
    more: next === null ? undefined : grow,
  };
  return name === "services" || name === "flows" ? (
    <Table {...shared} columns={jobColumns(workspace)} rows={items as JobRow[]} />
  ) : (
    <Table
      {...shared}
      columns={scheduleColumns(workspace)}
      rows={items as ScheduleRow[]}
      called={(row) => row.description || row.id}
      detail={(row) => <Detail row={row} />}
    />
  );
}

function isFiltered(filters: Filters): boolean {
  return Object.values(filters).some((value) => value !== undefined);
}

/** What fills a list that is empty. */
function NextSteps({ name }: { name: SectionName }) {
  const { workspace } = place.value;
  if (name === "services" || name === "flows") return <AddButton name={name} />;
  if (name === "workspace") {
    return (
      <>
        <AddSchedule />
        <ActButton
          label="Import a crontab"
          reason={lacking(FLOW_AUTHOR) ?? lacking("integration_author")}
          act={() => openCrontab(workspace)}
        />
      </>
    );
  }
  return <ActButton label="Go to the integrations" reason={undefined} act={() => setQuery({ tab: INTEGRATIONS })} />;
}

function AddSchedule({ isMain = false }: { isMain?: boolean }) {
  const { workspace } = place.value;
  return (
    <ActButton
      label="Add schedule"
      icon="plus"
      isMain={isMain}
      reason={lacking("integration_author")}
      act={() => addSchedule(workspace)}
    />
  );
}

function AddButton({ name, isMain = false }: { name: "services" | "flows"; isMain?: boolean }) {
  const { workspace } = place.value;
  return (
    <ActButton
      label={name === "services" ? "Add a service" : "Add a flow"}
      icon="plus"
      isMain={isMain}
      reason={lacking(FLOW_AUTHOR)}
      act={() => void (name === "services" ? openServiceForm(workspace) : openFlowForm(workspace))}
    />
  );
}

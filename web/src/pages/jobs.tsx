import { useEffect, useState } from "preact/hooks";

import { HOLD, release } from "../actions/deeds";
import { ask } from "../actions/dialog";
import { ActButton } from "../actions/tools";
import type { Asked, Got } from "../api/client";
import { openCrontab } from "../begin/crontab";
import { AddCalendar, Blackouts } from "../blackouts/section";
import { FirstSteps } from "../begin/first_steps";
import { Integrations } from "../integrations/section";
import type { Row } from "../live/concern";
import { ofKinds, useView } from "../live/view";
import { Loading, Nothing, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { Menu } from "../parts/menu";
import { after, End, PART } from "../parts/pager";
import { Table } from "../parts/table";
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
const BLACKOUTS = "blackouts";
/** What is read beside the page. */
const ELSEWHERE: readonly string[] = [INTEGRATIONS, BLACKOUTS];
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

function rowsOf(page: Page) {
  return TABS.flatMap(([name]): readonly Row[] => section(page, name).items);
}

/** Whether all sections came along: they do where there are few rows in all, else only the one that is shown. */
function isWhole(page: Page): boolean {
  return TABS.every(([name]) => section(page, name).count === 0 || section(page, name).items.length > 0);
}

/** The Jobs page: schedules by the status of their feature, and what they run. */
export function Jobs() {
  const { workspace, query } = place.value;
  const filters: Filters = {
    q: query.get("q") || undefined,
    state: (query.get("state") || undefined) as "active" | "inactive" | undefined,
    drift: query.get("drift") === "true" ? true : undefined,
  };
  const asked = TABS.map(([id]) => id).find((id) => id === query.get("tab"));
  const [isLarge, setLarge] = useState(true);
  const part = { section: isLarge ? asked : undefined, cursor: isLarge && asked ? after() : undefined, limit: PART };
  const { data, problem, reload } = useView(PATH, { workspace }, { ...filters, ...part }, CONCERNS, rowsOf);
  const elsewhere = ELSEWHERE.find((id) => id === query.get("tab"));
  const isElsewhere = elsewhere !== undefined;
  const first = data && fullest(data);
  const chosen = elsewhere ?? asked ?? first ?? "workspace";
  const rows = data && TABS.reduce((sum, [id]) => sum + section(data, id).count, 0);
  useEffect(() => {
    if (rows === undefined) return;
    setLarge(rows > PART);
    if (rows > PART && !isElsewhere && !asked && first) setQuery({ tab: first }, { step: false });
  }, [rows, isElsewhere, asked, first]);

  return (
    <>
      <div class="title">
        <h1>Jobs</h1>
        <div class="toolbar">
          <Search label="Search jobs" />
          {!isElsewhere && (
            <>
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
                  ["", "Drifted or not"],
                  ["true", "Drifted only"],
                ]}
              />
            </>
          )}
          <button type="button" class="quiet square" aria-label="Refresh" title="Refresh" onClick={reload}>
            <Icon name="refresh" />
          </button>
          <Adding chosen={chosen} />
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
      {data && isWhole(data) && !isFiltered(filters) && <FirstSteps workspace={workspace} page={data} />}
      <Tabs
        label="Sections"
        tabs={[
          ...TABS.map(([id, label]) => ({ id, label, count: data && section(data, id).count })),
          { id: INTEGRATIONS, label: "Integrations" },
          { id: BLACKOUTS, label: "Blackouts" },
        ]}
        chosen={chosen}
        choose={(tab) => setQuery({ tab })}
      >
        {problem && <Trouble problem={problem} again={reload} />}
        {chosen === INTEGRATIONS ? (
          <Integrations key={workspace} workspace={workspace} />
        ) : chosen === BLACKOUTS ? (
          <Blackouts key={workspace} workspace={workspace} q={filters.q} />
        ) : data ? (
          <Section key={chosen} name={chosen as SectionName} page={data} filters={filters} />
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

/** The first tab that has something. */
function fullest(page: Page): SectionName | undefined {
  return TABS.map(([id]) => id).find((id) => section(page, id).count > 0);
}

interface Shown {
  name: SectionName;
  page: Page;
  filters: Filters;
}

/** The rows of a section; those of another one than was asked for did not come along. */
function Section({ name, page, filters }: Shown) {
  const { workspace } = place.value;
  const { count, items, next } = section(page, name);
  if (items.length === 0 && after()) return <End />;
  if (items.length === 0 && count > 0) return <Loading />;
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
    next,
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

/** What adds to the list that is shown. */
function Adding({ chosen }: { chosen: string }) {
  if (chosen === "services" || chosen === "flows") return <AddButton name={chosen} isMain />;
  if (chosen === BLACKOUTS) return <AddCalendar workspace={place.value.workspace} isMain />;
  return <AddSchedule isMain />;
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

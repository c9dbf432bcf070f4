import { useState } from "preact/hooks";

import { type Allowed, reasonOf } from "../actions/deeds";
import { ActButton } from "../actions/tools";
import type { Schemas } from "../api/client";
import { ofKinds, useView } from "../live/view";
import { Ago, Loading, Nothing, State, Tag, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { type Item, Menu } from "../parts/menu";
import { type Column, Table } from "../parts/table";
import { lacking } from "../session";
import { actor, capital, count, plain } from "../words";
import { Drift } from "./drift";
import { openFeature, openRegistration, openSync, openSyncOfTargets } from "./forms";
import { openPublish } from "./publish";
import { openRegister } from "./register";

type Registration = Schemas["IntegrationItem"];
type Feature = Schemas["FeatureShown"];
type DefinitionItem = Schemas["DefinitionItem"];

const AUTHOR = "integration_author";
const MOST = 1000;
const CONCERNS = ofKinds("integration", "definition");
const SYNCS: Record<string, readonly [tone: string, meaning: string]> = {
  in_sync: ["good", "What it manages is what its definition says"],
  out_of_sync: ["warn", "The definition has changed since the last sync"],
  sync_failed: ["bad", "The last sync was refused, and nothing of it was taken"],
};
const STATUSES: Record<string, string> = { active: "good", onboarding: "busy", maintenance: "warn", off: "calm" };

/** Registrations of the workspace, and the definitions that it publishes. */
export function Integrations({ workspace }: { workspace: string }) {
  const registered = useView("/v1/{workspace}/integrations", { workspace }, { limit: MOST }, CONCERNS);
  const published = useView("/v1/{workspace}/definitions", { workspace }, { limit: MOST }, CONCERNS);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const problem = registered.problem ?? published.problem;
  if (!registered.data || !published.data) {
    return problem ? <Trouble problem={problem} again={registered.reload} /> : <Loading />;
  }
  const items = registered.data.items;
  const definitions = published.data.items;
  const choose = (id: string, isChosen: boolean) =>
    setChosen(isChosen ? [...chosen, id] : chosen.filter((one) => one !== id));
  return (
    <div class="integrations">
      {problem && <Trouble problem={problem} again={registered.reload} />}
      <Tools workspace={workspace} items={items} chosen={chosen} definitions={definitions} />
      {items.length === 0 && (
        <Nothing title="No integrations are registered here">
          An integration brings services, flows and schedules that are kept in many workspaces alike. Publish a
          definition from a file, or register one that another workspace publishes.
        </Nothing>
      )}
      {items.map((one) => (
        <Card
          key={one.id}
          workspace={workspace}
          of={one}
          all={items}
          isChosen={chosen.includes(one.id)}
          choose={items.length > 1 ? choose : undefined}
        />
      ))}
      {definitions.length > 0 && <Definitions workspace={workspace} items={definitions} registered={items} />}
    </div>
  );
}

function Tools(props: {
  workspace: string;
  items: readonly Registration[];
  chosen: readonly string[];
  definitions: readonly DefinitionItem[];
}) {
  const { workspace, items } = props;
  const chosen = items.filter((one) => props.chosen.includes(one.id)).map((one) => one.id);
  const first = items[0];
  const [label, ids] =
    chosen.length > 0 ? [`Sync ${count(chosen.length, "chosen one")}`, chosen] : ["Sync all", all(items)];
  return (
    <div class="toolbar">
      {first && (
        <ActButton
          label={label}
          icon="refresh"
          reason={reasonOf(first.actions as Record<string, Allowed>, "sync")}
          act={() => openSync(workspace, items, ids)}
        />
      )}
      <ActButton
        label="Register …"
        reason={lacking(AUTHOR)}
        act={() => openRegister(workspace, props.definitions, items)}
      />
      <ActButton
        label="Publish a definition …"
        icon="plus"
        reason={lacking(AUTHOR)}
        act={() => openPublish(workspace, all(items))}
      />
    </div>
  );
}

function all(items: readonly Registration[]): readonly string[] {
  return items.map((one) => one.id);
}

function Card(props: {
  workspace: string;
  of: Registration;
  all: readonly Registration[];
  isChosen: boolean;
  choose: ((id: string, isChosen: boolean) => void) | undefined;
}) {
  const { workspace, of, choose } = props;
  const actions = of.actions as Record<string, Allowed>;
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="card integration" aria-labelledby={`integration-${of.id}`}>
      <div class="integration-head">
        {choose && (
          <input
            type="checkbox"
            aria-label={`Choose ${of.name || of.id}`}
            checked={props.isChosen}
            onChange={(event) => choose(of.id, event.currentTarget.checked)}
          />
        )}
        <div class="name">
          <h2 id={`integration-${of.id}`}>{of.name || of.id}</h2>
          <small>
            <code>{of.id}</code>
            {of.definition.workspace !== workspace && <span>published by {of.definition.workspace}</span>}
            {of.status !== "active" && <Tag tone="warn">inactive: nothing of it triggers</Tag>}
          </small>
        </div>
        <Sync of={of} />
        <div class="deeds">
          <ActButton
            label="Sync"
            icon="refresh"
            reason={reasonOf(actions, "sync")}
            isMain={of.sync.state !== "in_sync"}
            act={() => openSync(workspace, [of], [of.id])}
          />
          <ActButton
            label="Settings …"
            reason={reasonOf(actions, "configure")}
            act={() => openRegistration(workspace, of)}
          />
        </div>
      </div>
      {of.sync.failure && (
        <p class="trouble">
          <Icon name="warn" />
          <span>
            Version {of.sync.failure.version} could not be taken <Ago at={of.sync.failure.at} />:{" "}
            {of.sync.failure.detail}. Put that right, then sync again.
          </span>
        </p>
      )}
      <Table
        label={`Features of ${of.name || of.id}`}
        columns={featureColumns(workspace, of)}
        rows={of.features}
        keyOf={(feature) => feature.id}
      />
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>What differs from the definition</summary>
        {isOpen && <Drift workspace={workspace} id={of.id} />}
      </details>
    </section>
  );
}

function Sync({ of: { sync, definition } }: { of: Registration }) {
  const [tone, meaning] = SYNCS[sync.state] ?? ["calm", ""];
  return (
    <div class="sync">
      <span class={`state ${tone}`} title={meaning}>
        {plain(sync.state)}
      </span>
      <small>
        version {sync.version ?? "–"}
        {sync.version !== definition.version && ` of ${definition.version}`}
        {sync.at && (
          <>
            , <Ago at={sync.at} />
          </>
        )}
      </small>
    </div>
  );
}

function featureColumns(workspace: string, of: Registration): readonly Column<Feature>[] {
  const reason = reasonOf(of.actions as Record<string, Allowed>, "set_feature_status");
  return [
    {
      title: "Feature",
      kind: "wide",
      cell: (feature) => (
        <div class="name">
          <strong>{feature.name || feature.id}</strong>
          <small>
            {feature.name && <code>{feature.id}</code>}
            {feature.description}
            {feature.lifecycle !== "active" && <Tag>{plain(feature.lifecycle)}</Tag>}
          </small>
        </div>
      ),
    },
    {
      title: "Status",
      cell: (feature) => (
        <>
          <span class={`state ${STATUSES[feature.status] ?? "calm"}`}>{capital(feature.status)}</span>
          {feature.since && (
            <small>
              <Ago at={feature.since} />
              {feature.set_by && `, by ${actor(feature.set_by)}`}
            </small>
          )}
        </>
      ),
    },
    {
      title: "Actions",
      kind: "tools",
      cell: (feature) => (
        <div class="deeds">
          <ActButton label="Change …" reason={reason} act={() => openFeature(workspace, of.id, feature)} />
        </div>
      ),
    },
  ];
}

function Definitions(props: {
  workspace: string;
  items: readonly DefinitionItem[];
  registered: readonly Registration[];
}) {
  const { workspace, items, registered } = props;
  return (
    <section aria-labelledby="published">
      <h2 id="published">Published by this workspace</h2>
      <Table
        label="Published by this workspace"
        columns={definitionColumns(workspace, all(registered))}
        rows={items}
        keyOf={(one) => one.id}
        called={(one) => one.name || one.id}
        detail={(one) => <Registrations workspace={workspace} id={one.id} />}
      />
    </section>
  );
}

function definitionColumns(workspace: string, registered: readonly string[]): readonly Column<DefinitionItem>[] {
  return [
    {
      title: "Definition",
      kind: "wide",
      cell: (row) => (
        <div class="name">
          <strong>{row.name || row.id}</strong>
          <small>
            <code>{row.id}</code>
          </small>
        </div>
      ),
    },
    {
      title: "Version",
      cell: (row) => (
        <>
          {row.version}
          <small>
            <Ago at={row.published_at} />, by {actor(row.published_by)}
          </small>
        </>
      ),
    },
    {
      title: "Actions",
      kind: "tools",
      cell: (row) => {
        const items: Item[] = [
          {
            name: "publish",
            label: "Publish the next version …",
            reason: lacking(AUTHOR),
            choose: () => openPublish(workspace, registered, row.id),
          },
        ];
        return <Menu label={`More about ${row.name || row.id}`} items={items} />;
      },
    },
  ];
}

/** Where a definition is registered, as far as who looks may see it. */
function Registrations({ workspace, id }: { workspace: string; id: string }) {
  const { data, problem, reload } = useView("/v1/{workspace}/definitions/{id}", { workspace, id }, {}, CONCERNS);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const others = data.registrations.filter((one) => one.workspace !== workspace).map((one) => one.workspace);
  return (
    <>
      <ul class="registrations">
        {data.registrations.map((one) => (
          <li key={one.workspace}>
            <strong>{one.workspace}</strong>
            <State state={plain(one.sync.state)} />
            <span class="faint">
              version {one.sync.version ?? "–"};{" "}
              {Object.entries(one.features)
                .map(([feature, status]) => `${feature} ${status}`)
                .join(", ")}
              {one.overridden.length > 0 && `; overridden: ${one.overridden.join(", ")}`}
            </span>
          </li>
        ))}
      </ul>
      {data.registrations.length === 0 && <p class="faint">It is registered nowhere that you can see.</p>}
      {others.length > 0 && (
        <ActButton
          label="Sync other workspaces …"
          icon="refresh"
          reason={lacking("operator", "administrator", "flow_author", AUTHOR)}
          act={() => openSyncOfTargets(workspace, id, others)}
        />
      )}
    </>
  );
}

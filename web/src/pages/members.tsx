import { useState } from "preact/hooks";

import { ActButton, DeedButton } from "../actions/tools";
import { type Deed, reasonOf } from "../actions/deeds";
import type { Schemas } from "../api/client";
import { openForm } from "../forms/form";
import { ofKinds, useView } from "../live/view";
import { Ago, Loading, Nothing, Tag, Trouble } from "../parts/basics";
import { Menu } from "../parts/menu";
import { type Column, FIRST, more, Table } from "../parts/table";
import { say } from "../parts/toast";
import { go, place, to } from "../router";
import { hasRole, HISTORIANS, lacking } from "../session";
import { actor, count, plain } from "../words";
import { MemberForm } from "./member_form";
import { Search } from "./toolbar";

type MemberRow = Schemas["MemberItem"];
type KeyRow = Schemas["KeyItem"];

const MEMBERS = "/v1/{workspace}/members";
const KEYS = "/v1/{workspace}/keys";
const PEOPLE = ofKinds("member", "access");

/** Who belongs to the workspace, with their roles there, and the keys that were issued in it. */
export function Members() {
  const { workspace } = place.value;
  if (!hasRole(...HISTORIANS)) {
    return (
      <>
        <h1>Members</h1>
        <Nothing title="Your roles do not show the members">
          It needs the role auditor or administrator in this workspace.
        </Nothing>
      </>
    );
  }
  return (
    <>
      <div class="title">
        <h1>Members</h1>
        <div class="toolbar">
          <Search label="Search members" />
          <ActButton
            label="Add member"
            reason={lacking("administrator")}
            isMain
            act={() => openForm(() => <MemberForm workspace={workspace} />)}
          />
        </div>
      </div>
      <People workspace={workspace} />
      <h2 class="between">Keys</h2>
      <Keys workspace={workspace} />
    </>
  );
}

function People({ workspace }: { workspace: string }) {
  const q = place.value.query.get("q") ?? "";
  const [limit, setLimit] = useState(FIRST);
  const { data, problem, reload } = useView(MEMBERS, { workspace }, { q, limit }, PEOPLE);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  if (data.items.length === 0) {
    return q ? (
      <Nothing title="Nobody here matches">Look for another name, id or address.</Nothing>
    ) : (
      <Nothing title="Nobody is a member yet">
        Members sign in by your identity provider, or have keys of their own. Everybody else here acts with a key.
      </Nothing>
    );
  }
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      <Table
        label="Members"
        columns={memberColumns(workspace)}
        rows={data.items}
        keyOf={(row) => row.id}
        more={data.next ? () => setLimit(more(limit)) : undefined}
      />
    </>
  );
}

function Keys({ workspace }: { workspace: string }) {
  const [limit, setLimit] = useState(FIRST);
  const { data, problem, reload } = useView(KEYS, { workspace }, { limit }, PEOPLE);
  if (!data) return problem ? <Trouble problem={problem} again={reload} /> : <Loading />;
  const held = data.items.filter((one) => one.revoked_at === null);
  const revoked = data.items.length - held.length;
  return (
    <>
      {problem && <Trouble problem={problem} again={reload} />}
      {held.length === 0 ? (
        <Nothing title="No key was issued in this workspace">
          <code>eventjobs keys issue</code> makes one.
        </Nothing>
      ) : (
        <Table
          label="Keys"
          columns={keyColumns(workspace)}
          rows={held}
          keyOf={(row) => row.id}
          more={data.next ? () => setLimit(more(limit)) : undefined}
        />
      )}
      {revoked > 0 && <p class="faint">{count(revoked, "more key was", "more keys were")} revoked.</p>}
    </>
  );
}

function memberColumns(workspace: string): readonly Column<MemberRow>[] {
  return [
    {
      title: "Member",
      kind: "wide",
      cell: (row) => (
        <div class="name">
          <strong>{row.name}</strong>
          <small>
            {row.id}
            {row.email && <span>{row.email}</span>}
          </small>
        </div>
      ),
    },
    { title: "Roles", cell: (row) => <Roles roles={row.roles} isReadOnly={row.read_only} /> },
    {
      title: "Signs in as",
      cell: (row) =>
        row.subject ? (
          <span class="subject" title={`${row.issuer}`}>
            <code>{row.subject}</code>
          </span>
        ) : (
          <span class="faint">keys only</span>
        ),
    },
    {
      title: "Keys",
      cell: (row) => (row.keys.length ? row.keys.join(", ") : <span class="faint">none</span>),
    },
    {
      title: "Since",
      cell: (row) => (
        <>
          <Ago at={row.added_at} />
          <small>by {actor(row.added_by)}</small>
        </>
      ),
    },
    { title: "Actions", kind: "tools", cell: (row) => <MemberTools workspace={workspace} row={row} /> },
  ];
}

function MemberTools({ workspace, row }: { workspace: string; row: MemberRow }) {
  const reason = reasonOf(row.actions, "remove");
  const remove: Deed = {
    name: "remove",
    label: "Remove",
    title: `Remove ${row.name}?`,
    command: "RemoveMember",
    fields: { id: row.id },
    harsh: true,
    done: "Removed",
  };
  const change = () =>
    reason === undefined
      ? openForm(() => <MemberForm workspace={workspace} present={row} />)
      : say(`Change is not possible: ${reason}.`);
  return (
    <div class="deeds">
      <button
        type="button"
        class="deed"
        aria-label={`Change ${row.name}`}
        aria-disabled={reason !== undefined}
        title={reason}
        onClick={change}
      >
        Change
      </button>
      <DeedButton workspace={workspace} deed={remove} reason={reason} of={row.name} />
      <Menu
        label={`More about ${row.name}`}
        items={[
          {
            name: "history",
            label: "Show what was done about them",
            reason: undefined,
            choose: () => go(to(workspace, "history", "", { stream: `member:${row.id}` })),
          },
          {
            name: "did",
            label: "Show what they did signed in",
            reason: undefined,
            choose: () => go(to(workspace, "history", "", { actor: `member:${workspace}/${row.id}` })),
          },
        ]}
      />
    </div>
  );
}

function keyColumns(workspace: string): readonly Column<KeyRow>[] {
  return [
    {
      title: "Key",
      kind: "wide",
      cell: (row) => (
        <div class="name">
          <strong>{row.id}</strong>
          <small>{row.member ? `of ${row.member}` : "a machine's"}</small>
        </div>
      ),
    },
    { title: "Roles", cell: (row) => <Roles roles={row.roles} isReadOnly={row.read_only} /> },
    {
      title: "Good for",
      cell: (row) => row.workspaces.map((one) => (one === "*" ? "every workspace" : one)).join(", "),
    },
    {
      title: "Until",
      cell: (row) => (row.expires_at ? <Ago at={row.expires_at} /> : <span class="faint">no end</span>),
    },
    {
      title: "Issued",
      cell: (row) => (
        <>
          <Ago at={row.issued_at} />
          <small>by {actor(row.issued_by)}</small>
        </>
      ),
    },
    {
      title: "Actions",
      kind: "tools",
      cell: (row) => (
        <div class="deeds">
          <DeedButton workspace={workspace} deed={revoke(row)} reason={lacking("administrator")} of={row.id} />
        </div>
      ),
    },
  ];
}

function revoke(row: KeyRow): Deed {
  return {
    name: "revoke",
    label: "Revoke",
    title: `Revoke the key ${row.id}?`,
    command: "RevokeKey",
    fields: { id: row.id },
    harsh: true,
    done: "Revoked",
  };
}

function Roles({ roles, isReadOnly }: { roles: readonly string[]; isReadOnly: boolean }) {
  return (
    <span class="roles">
      {roles.map((one) => (
        <Tag key={one}>{plain(one)}</Tag>
      ))}
      {isReadOnly && <Tag tone="warn">read only</Tag>}
    </span>
  );
}

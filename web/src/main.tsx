import "./style.css";
import "./forms/forms.css";
import "./integrations/integrations.css";
import "./begin/begin.css";
import "./calendar/calendar.css";

import { render } from "preact";
import { useEffect } from "preact/hooks";

import { AskDialog } from "./actions/dialog";
import { ActButton } from "./actions/tools";
import { noWorkspaces, openWorkspaceForm } from "./begin/workspace_form";
import { FormHost } from "./forms/form";
import { follow } from "./live/stream";
import { Loading, Nothing, Trouble } from "./parts/basics";
import { Problem } from "./api/client";
import { say, Toasts } from "./parts/toast";
import { Calendar } from "./calendar/page";
import { Connect } from "./pages/connect";
import { Empty } from "./pages/empty";
import { History } from "./pages/history";
import { Jobs } from "./pages/jobs";
import { Members } from "./pages/members";
import { Run } from "./pages/run";
import { SignIn } from "./pages/sign_in";
import { WhyDialog } from "./actions/why";
import { place, to } from "./router";
import { leaving, me, recognise, signOut, unreachable, workspaces } from "./session";
import { Shell } from "./shell";
import "./theme";

const PAGES: Record<string, { title: string; show: () => preact.ComponentChildren }> = {
  jobs: { title: "Jobs", show: () => <Jobs /> },
  connect: { title: "Manage Connect", show: () => <Connect /> },
  calendar: { title: "Calendar", show: () => <Calendar /> },
  runs: { title: "Run", show: () => <Run /> },
  members: { title: "Members", show: () => <Members /> },
  history: { title: "History", show: () => <History /> },
};

function App() {
  const { workspace, page, id } = place.value;
  const isKnown = workspaces.value.includes(workspace);
  const first = workspaces.value[0];
  follow(me.value && isKnown && !leaving.value ? workspace : null);

  useEffect(() => {
    if (me.value && workspace === "" && first) location.replace(to(first, "jobs"));
  });
  useEffect(() => {
    if (leaving.value) signOut().catch((error: Error) => say(`You are still signed in: ${error.message}`));
  }, [leaving.value]);
  useEffect(() => {
    document.title = me.value
      ? `${PAGES[page]?.title ?? "Not found"} · ${workspace} · eventjobs`
      : "Sign in · eventjobs";
  }, [me.value, page, workspace]);

  if (unreachable.value) {
    return (
      <main class="sign-in">
        <Trouble problem={new Problem(0, "unreachable", unreachable.value)} again={recognise} />
      </main>
    );
  }
  if (me.value === undefined) return <Loading />;
  if (me.value === null) return <SignIn />;
  return (
    <>
      <Shell>
        {leaving.value ? (
          <Loading />
        ) : !first ? (
          <Empty
            title="There is no workspace yet"
            text="A workspace holds schedules, jobs, groups and their runs; an administrator of the service makes it."
          >
            <ActButton label="Make a workspace" icon="plus" isMain reason={noWorkspaces()} act={openWorkspaceForm} />
          </Empty>
        ) : !isKnown ? (
          workspace && <Nothing title={`There is no workspace ${workspace} for you`} />
        ) : PAGES[page] ? (
          <div key={`${workspace}/${page}/${id}`}>{PAGES[page].show()}</div>
        ) : (
          <Nothing title="There is no such page" />
        )}
      </Shell>
      <FormHost />
      <AskDialog />
      <Toasts />
      <WhyDialog />
    </>
  );
}

void recognise();
render(<App />, document.getElementById("app")!);

import type { ComponentChildren } from "preact";

import { liveState } from "./live/stream";
import { catchingUp } from "./live/view";
import { Icon, type IconName } from "./parts/icons";
import { go, place, to } from "./router";
import { hasRole, HISTORIANS, leaving, me, ownRoles, workspaces } from "./session";
import { type Theme, theme } from "./theme";
import { PastBanner, TimeBar, TimeSwitch } from "./time/bar";
import { asOf } from "./time/moment";

const PAGES = [
  ["jobs", "Jobs"],
  ["connect", "Manage Connect"],
  ["calendar", "Calendar"],
  ["history", "History"],
  ["members", "Members"],
] as const;
const LIVE = {
  live: ["Live", "What happens is shown at once"],
  connecting: ["Connecting", "The connection for what happens is being made"],
  away: ["Waiting", "The service cannot be heard at the moment; the page goes on as soon as it can"],
} as const;
const THEMES: readonly [Theme, IconName, string][] = [
  ["system", "screen", "As the system"],
  ["light", "sun", "Light"],
  ["dark", "moon", "Dark"],
];

/** What stands around every page. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { workspace, page } = place.value;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the page
      </a>
      <div class="top">
        <header>
          <a class="brand" href={to(workspace, "jobs")}>
            <img src="./app/icon.svg" alt="" width="26" height="26" />
            <span>eventjobs</span>
          </a>
          <label class="workspace">
            <span class="unseen">Workspace</span>
            <select
              value={workspace}
              onChange={(event) => go(to(event.currentTarget.value, page === "runs" ? "jobs" : page))}
            >
              {workspaces.value.map((id) => (
                <option key={id} value={id}>
                  {id}
                </option>
              ))}
            </select>
          </label>
          <nav aria-label="Pages">
            {PAGES.filter(([id]) => id !== "members" || hasRole(...HISTORIANS)).map(([id, label]) => (
              <a key={id} href={to(workspace, id)} aria-current={id === page ? "page" : undefined}>
                {label}
              </a>
            ))}
          </nav>
          <div class="me">
            <Live />
            <TimeSwitch />
            <ThemeSwitch />
            <span class="who" title={`Roles: ${ownRoles.value.join(", ")}`}>
              {me.value?.name ?? me.value?.member ?? me.value?.key}
            </span>
            <button
              type="button"
              class="quiet square"
              aria-label="Sign out"
              title="Sign out"
              onClick={() => (leaving.value = true)}
            >
              <Icon name="out" />
            </button>
          </div>
        </header>
        <PastBanner />
      </div>
      <main id="main" tabIndex={-1} class={asOf.value && "past"} aria-busy={catchingUp.value > 0}>
        <TimeBar />
        {children}
      </main>
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Live() {
  if (asOf.value) return <span class="live past">Past</span>;
  const [word, title] = LIVE[liveState.value];
  return (
    <span class={`live ${liveState.value}`} title={title} role="status">
      {word}
    </span>
  );
}

function ThemeSwitch() {
  const place = THEMES.findIndex(([id]) => id === theme.value);
  const [, icon, label] = THEMES[place]!;
  const [next, , nextLabel] = THEMES[(place + 1) % THEMES.length]!;
  const said = `Colours: ${label.toLowerCase()}; change to ${nextLabel.toLowerCase()}`;
  return (
    <button type="button" class="quiet square" aria-label={said} title={said} onClick={() => (theme.value = next)}>
      <Icon name={icon} />
    </button>
  );
}

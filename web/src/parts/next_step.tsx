import type { Problem } from "../api/client";
import { place, to } from "../router";

/** What to do next, by the reason why the service refused. */
const STEPS: Record<string, string> = {
  already_running: "Wait until that run has ended, or stop it.",
  busy: "Try it again in a moment.",
  draining: "Try it again in a moment: another instance answers then.",
  feature_in_use: "Turn the feature off in those workspaces first.",
  feature_off: "Put the feature into use first: it stands among the integrations.",
  forbidden: "Ask an administrator for one of these roles.",
  held: "Release the starts, or wait until the hold is over.",
  id_taken: "Choose another id: one that was given stays taken, also after a deletion.",
  log_full: "Whoever runs the service has to make room on its disk.",
  no_jobs: "Give the schedule a job first.",
  outcome_unknown: "Look whether it is there before you do it again.",
  stale: "Open it again, and do it on what is there now.",
  too_many_requests: "Wait a moment, then go on.",
  unavailable: "The service goes on by itself as soon as its database is back; try again then.",
  unforeseen: "It was logged: tell whoever runs the service when it happened.",
  unreachable: "Look whether the service runs and whether you are online, then try again.",
  view_behind: "Try it again in a moment: the pages are catching up.",
};

interface User {
  kind: string;
  id: string;
}

/** What to do next about a refusal, with the things that it names. */
export function NextStep({ problem }: { problem: Problem }) {
  const users = problem.code === "in_use" ? ((problem.more["users"] ?? []) as readonly User[]) : [];
  if (users.length > 0) {
    return (
      <p>
        Take it out of{" "}
        {users.map((one, at) => (
          <span key={`${one.kind}/${one.id}`}>
            {at > 0 && ", "}
            <a href={to(place.value.workspace, "jobs", "", { q: one.id })}>{one.id}</a>
          </span>
        ))}{" "}
        first.
      </p>
    );
  }
  const step = STEPS[problem.code];
  return step ? <p>{step}</p> : null;
}

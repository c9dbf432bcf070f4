import type { Schemas } from "../api/client";
import { to } from "../router";

const USERS_SHOWN = 3;

/** By whom a thing is used: the first of them, each leading to its row. */
export function Users({ workspace, of }: { workspace: string; of: readonly Schemas["Reference"][] }) {
  if (of.length === 0) return <span class="faint">nothing</span>;
  const shown = of.slice(0, USERS_SHOWN);
  return (
    <ul class="users">
      {shown.map((one) => (
        <li key={one.id}>
          <a href={to(workspace, "jobs", "", { q: one.id })} title={`Show the ${one.kind} ${one.id}`}>
            {one.id}
          </a>
        </li>
      ))}
      {of.length > shown.length && (
        <li class="faint" title={of.map((one) => one.id).join(", ")}>
          and {of.length - shown.length} more
        </li>
      )}
    </ul>
  );
}

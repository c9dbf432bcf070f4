import type { ComponentChildren } from "preact";

import { Would } from "../actions/would";
import type { Problem } from "../api/client";
import { Loading, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { count } from "../words";
import type { Draft } from "./draft";
import type { Tried } from "./dry_run";

/** What the commands would do, or what is missing until that can be said. */
export function Foreseen(props: {
  draft: Draft;
  tried: Tried;
  problem: Problem | undefined;
  isSent: boolean;
  isEmpty: boolean;
  children?: ComponentChildren;
}) {
  const { draft, tried, problem, isSent, isEmpty, children } = props;
  if (isEmpty) return <p class="faint">Nothing is changed yet.</p>;
  if (problem && problem.errors.length === 0) return <Trouble problem={problem} />;
  if (problem) return isSent ? <Faults draft={draft} /> : <Pending draft={draft} />;
  if (!tried.preview) return <Loading />;
  return <div class={tried.isOld ? "old" : undefined}>{children || <Would preview={tried.preview} />}</div>;
}

/** What keeps it from being saved, each with the way to its field. */
function Faults({ draft }: { draft: Draft }) {
  const faults = draft.faults();
  return (
    <div class="faults">
      <h3>
        <Icon name="warn" /> {count(faults.length, "thing")} to put right
      </h3>
      <ul>
        {faults.map(({ path, label, detail, focus }) => (
          <li key={path}>
            {focus ? (
              <button type="button" class="link" onClick={focus}>
                {label}
              </button>
            ) : (
              path && <code>{path}</code>
            )}
            <span>{detail}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Names what is still to be filled in or put right; what no field shows is said at once, as nothing else would. */
function Pending({ draft }: { draft: Draft }) {
  const faults = draft.faults();
  const named = [...new Set(faults.map((one) => one.label).filter((label) => label !== undefined))];
  const rest = draft.isChanged ? faults.filter((one) => !one.focus) : [];
  return (
    <>
      {rest.map((one) => (
        <p key={one.path} class="error">
          {one.detail}
        </p>
      ))}
      <p class="faint">Once all that is needed is filled in, this shows what would happen.</p>
      {named.length > 0 && <p class="faint">Still to do: {named.join(", ")}.</p>}
    </>
  );
}

/** Says in a few words what is foreseen, for who does not see it. */
export function spoken({ preview, isOld }: Tried, problem: Problem | undefined): string {
  if (problem) return problem.errors.length > 0 ? `${count(problem.errors.length, "field")} to put right` : "";
  if (!preview || isOld) return "";
  const said = [
    preview.runs_now.length > 0 && `${count(preview.runs_now.length, "run")} would start at once`,
    preview.warnings.length > 0 && count(preview.warnings.length, "warning"),
  ];
  return said.filter(Boolean).join(", ");
}

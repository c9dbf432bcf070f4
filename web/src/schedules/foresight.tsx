import { AtOnce, Moments, Recorded, Warnings } from "../actions/would";
import type { Order, Preview } from "../api/client";
import { useTrial } from "../forms/dry_run";
import { ofKinds, useView } from "../live/view";
import { LoadGrid } from "../parts/load_grid";

const CONCERNS = ofKinds("schedule", "group", "job");

/**
 * When a schedule would run: at once, its next moments, what the clocks do to them, whom they meet, and how busy it is
 * then. `ifActive` are the commands that would activate it besides, for one that is not.
 */
export function Foresight(props: { workspace: string; preview: Preview; ifActive: readonly Order[] | undefined }) {
  const { workspace, ifActive } = props;
  const { data: load } = useView("/v1/{workspace}/load", { workspace }, {}, CONCERNS);
  const { preview: active } = useTrial(workspace, ifActive);
  const preview = (ifActive && active) || props.preview;
  const [owner] = Object.keys(preview.next);
  const next = (owner && preview.next[owner]) || [];
  const clocks = preview.warnings.filter((one) => one.code === "moves_with_daylight_saving");
  const others = preview.warnings.filter((one) => one.code !== "moves_with_daylight_saving");
  return (
    <div class="would">
      {preview.events.length === 0 && <p>Nothing would change.</p>}
      {ifActive && <p class="faint">It is inactive, and nothing falls due. If it were activated now:</p>}
      <AtOnce preview={preview} />
      <Warnings of={others} />
      <section>
        <h3>{next.length > 0 ? `Next ${next.length > 1 ? next.length : ""} due` : "Nothing is due"}</h3>
        {next.length > 0 ? (
          <Moments of={next} />
        ) : (
          <p class="faint">
            {preview.runs_now.length > 0 ? "It runs now, and not again by itself." : "Nothing is left to come."}
          </p>
        )}
      </section>
      {clocks.map((one) => (
        <Clocks key={one.detail} detail={one.detail} />
      ))}
      {load && next.length > 0 && (
        <section>
          <h3>Load of the coming day</h3>
          <LoadGrid load={load} marks={next.map((one) => one.due)} />
        </section>
      )}
      {props.preview.events.length > 0 && (
        <details>
          <summary>What would be recorded</summary>
          <Recorded preview={props.preview} />
        </details>
      )}
    </div>
  );
}

/** What the changes of a zone's clocks do, each on its line. */
function Clocks({ detail }: { detail: string }) {
  const [, zone, dates = detail] = /^in (\S+): (.*)$/.exec(detail) ?? [];
  return (
    <section>
      <h3>With daylight saving{zone && ` in ${zone}`}</h3>
      <ul class="clocks">
        {dates.split("; ").map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </section>
  );
}

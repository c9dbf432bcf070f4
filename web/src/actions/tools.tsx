import { Icon, type IconName } from "../parts/icons";
import { type Item, Menu } from "../parts/menu";
import { say } from "../parts/toast";
import { go, to } from "../router";
import { hasRole, HISTORIANS } from "../session";
import { type Deed, deedsOf, type Owner, reasonOf, streamOf } from "./deeds";
import { ask } from "./dialog";
import { askWhy, notAsked } from "./why";

/** What can be done with a row: its first action as a button, the others in a menu, `more` before them. */
export function Tools(props: { workspace: string; owner: Owner; more?: readonly Item[] }) {
  const { workspace, owner } = props;
  const [first, ...others] = deedsOf(owner);
  return (
    <div class="deeds">
      {first && (
        <DeedButton workspace={workspace} deed={first} reason={reasonOf(owner.actions, first.name)} of={owner.name} />
      )}
      <Menu
        label={`More about ${owner.name}`}
        items={[
          {
            name: "history",
            label: "Show its history",
            reason: hasRole(...HISTORIANS) ? undefined : `it needs one of: ${HISTORIANS.join(", ")}`,
            choose: () => go(to(workspace, "history", "", { stream: streamOf(owner) })),
          },
          ...(props.more ?? []),
          {
            name: "why",
            label: "Why did it run, or not? …",
            reason: notAsked(owner.kind),
            choose: () => askWhy({ kind: owner.kind, id: owner.id }),
          },
          ...others.map((deed) => ({
            name: deed.label,
            label: deed.label,
            reason: reasonOf(owner.actions, deed.name),
            harsh: deed.harsh ?? false,
            choose: () => ask(workspace, deed),
          })),
        ]}
      />
    </div>
  );
}

/** A button that opens something, and says why where it may not. */
export function ActButton(props: {
  label: string;
  icon?: IconName;
  reason: string | undefined;
  isMain?: boolean;
  act: () => void;
}) {
  const { label, icon, reason, act } = props;
  return (
    <button
      type="button"
      class={props.isMain && reason === undefined ? "main" : undefined}
      aria-disabled={reason !== undefined}
      title={reason}
      onClick={() => (reason === undefined ? act() : say(`${label} is not possible: ${reason}.`))}
    >
      {icon && <Icon name={icon} />}
      <span>{label}</span>
    </button>
  );
}

/** A button that stays in reach of the keyboard also where it cannot be used, and then says why. */
export function DeedButton(props: { workspace: string; deed: Deed; reason: string | undefined; of?: string }) {
  const { deed, reason } = props;
  return (
    <button
      type="button"
      class={`deed ${deed.harsh ? "harsh" : ""}`}
      aria-label={props.of && `${deed.label}: ${props.of}`}
      aria-disabled={reason !== undefined}
      title={reason}
      onClick={() =>
        reason === undefined ? ask(props.workspace, deed) : say(`${deed.label} is not possible: ${reason}.`)
      }
    >
      {props.of && !deed.harsh && <Icon name="play" />}
      <span>{deed.label}</span>
    </button>
  );
}

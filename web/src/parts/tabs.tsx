import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

export interface Tab {
  id: string;
  label: string;
  count?: number | undefined;
}

/** Tabs over one panel; arrow keys go from one to the next. */
export function Tabs(props: {
  label: string;
  tabs: readonly Tab[];
  chosen: string;
  choose: (id: string) => void;
  children: ComponentChildren;
}) {
  const { tabs, chosen, choose } = props;
  const counted = tabs.filter((tab) => tab.count !== undefined).length; // a count that comes moves those behind it
  useEffect(
    () => document.getElementById(`tab-${chosen}`)?.scrollIntoView({ block: "nearest", inline: "center" }),
    [chosen, counted],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const place = tabs.findIndex((tab) => tab.id === chosen);
    const next = tabs[(place + step + tabs.length) % tabs.length]!;
    choose(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={props.label} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`tab-${tab.id}`}
            type="button"
            role="tab"
            aria-selected={tab.id === chosen}
            aria-controls="panel"
            tabIndex={tab.id === chosen ? 0 : -1}
            onClick={() => choose(tab.id)}
          >
            {tab.label}
            {tab.count !== undefined && <span class="count">{tab.count.toLocaleString("en")}</span>}
          </button>
        ))}
      </div>
      <div id="panel" role="tabpanel" aria-labelledby={`tab-${chosen}`}>
        {props.children}
      </div>
    </>
  );
}

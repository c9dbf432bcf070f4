import { useLayoutEffect, useId, useRef, useState } from "preact/hooks";

import { Icon } from "./icons";

export interface Item {
  name: string;
  label: string;
  /** Why it cannot be done now. */
  reason: string | undefined;
  harsh?: boolean;
  choose: () => void;
}

/** What can be done with a row; what cannot says why. */
export function Menu({ label, items }: { label: string; items: readonly Item[] }) {
  const [isOpen, setOpen] = useState(false);
  const [isAbove, setAbove] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    if (!isOpen) return;
    const box = list.current!.getBoundingClientRect();
    setAbove(box.bottom > innerHeight && box.height < button.current!.getBoundingClientRect().top);
    focusOn(0);
    const outside = (event: Event) => whole.current?.contains(event.target as Node) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [isOpen]);

  const entries = () => [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const focusOn = (place: number) => {
    const all = entries();
    all[(place + all.length) % all.length]?.focus();
  };
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const place = entries().indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, () => void> = {
      ArrowDown: () => focusOn(place + 1),
      ArrowUp: () => focusOn(place - 1),
      Home: () => focusOn(0),
      End: () => focusOn(-1),
      Escape: close,
    };
    if (event.key === "Tab") setOpen(false);
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  return (
    <div class="menu" ref={whole}>
      <button
        type="button"
        class="quiet square"
        ref={button}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={label}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div id={id} role="menu" aria-label={label} class={isAbove ? "above" : ""} ref={list} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <button
              key={item.name}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={item.harsh ? "harsh" : ""}
              aria-disabled={item.reason !== undefined}
              onClick={() => {
                if (item.reason !== undefined) return;
                close();
                item.choose();
              }}
            >
              {item.label}
              {item.reason !== undefined && <small>{item.reason}</small>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

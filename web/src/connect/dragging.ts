import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Something that is being carried with the pointer, and the place in the list where it would be put down. */
export interface Carried {
  id: string;
  name: string;
  x: number;
  y: number;
  /** How many others would be before it; `null` where it would not be put into the list. */
  place: number | null;
}

const STEP_PX = 5;
const EDGE_PX = 48;
const CONTROLS = "button, input, label, a";

/**
 * Lets things be dragged into a list and within it, with a mouse anywhere on them, by touch on their handles. Escape
 * puts them back.
 */
export function useDragging(
  list: RefObject<HTMLElement | null>,
  drop: (id: string, place: number) => void,
): { carried: Carried | undefined; grab: (id: string, name: string) => (event: PointerEvent) => void } {
  const [carried, setCarried] = useState<Carried>();
  const dropping = useRef(drop);
  dropping.current = drop;
  const stop = useRef<() => void>(() => undefined);
  useEffect(() => () => stop.current(), []);

  const grab = (id: string, name: string) => (event: PointerEvent) => {
    const target = event.target as HTMLElement;
    const onHandle = target.closest(".grip") !== null;
    if (event.button !== 0 || (event.pointerType !== "mouse" && !onHandle)) return;
    if (target.closest(CONTROLS) && !onHandle) return;
    const [fromX, fromY] = [event.clientX, event.clientY];
    let last: Carried | undefined;

    const move = ({ clientX: x, clientY: y }: PointerEvent) => {
      if (!last && Math.hypot(x - fromX, y - fromY) < STEP_PX) return;
      last = { id, name, x, y, place: placeAt(list.current, id, x, y) };
      setCarried(last);
      scrollAlong(list.current, y);
    };
    const end = () => {
      stop.current();
      if (last && last.place !== null) dropping.current(id, last.place);
    };
    const key = (pressed: KeyboardEvent) => {
      if (pressed.key !== "Escape" || !last) return;
      pressed.preventDefault();
      stop.current();
    };
    stop.current = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", stop.current);
      removeEventListener("keydown", key, true);
      document.documentElement.classList.remove("carrying");
      setCarried(undefined);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", stop.current);
    addEventListener("keydown", key, true);
    document.documentElement.classList.add("carrying");
  };
  return { carried, grab };
}

function placeAt(list: HTMLElement | null, id: string, x: number, y: number): number | null {
  if (!list) return null;
  const box = list.getBoundingClientRect();
  if (x < box.left || x > box.right || y < box.top || y > box.bottom) return null;
  const others = [...list.querySelectorAll<HTMLElement>("[data-id]")].filter((one) => one.dataset["id"] !== id);
  return others.filter((one) => middle(one) < y).length;
}

function middle(of: HTMLElement): number {
  const { top, height } = of.getBoundingClientRect();
  return top + height / 2;
}

/** Scrolls what the list stands in, where something is carried to its edge. */
function scrollAlong(list: HTMLElement | null, y: number): void {
  const around = list?.closest("dialog");
  if (!around) return;
  const { top, bottom } = around.getBoundingClientRect();
  if (y < top + EDGE_PX) around.scrollBy(0, -EDGE_PX / 3);
  else if (y > bottom - EDGE_PX) around.scrollBy(0, EDGE_PX / 3);
}

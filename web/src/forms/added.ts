import { type RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Returns what is called when a line is added to a list: its first field is the one typed into before a key can be pressed. */
export function useAdded(box: RefObject<HTMLElement | null>): () => void {
  const isAdded = useRef(false);
  useLayoutEffect(() => {
    if (!isAdded.current) return;
    isAdded.current = false;
    box.current?.querySelector<HTMLElement>("li:last-of-type input")?.focus();
  });
  return () => {
    isAdded.current = true;
  };
}

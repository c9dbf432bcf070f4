import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

const SHOWN_MS = 7000;
const said = signal<readonly { id: number; text: ComponentChildren }[]>([]);
let last = 0;

/** Says for a while that something was done. */
export function say(text: ComponentChildren): void {
  const id = ++last;
  said.value = [...said.value, { id, text }];
  setTimeout(() => (said.value = said.value.filter((one) => one.id !== id)), SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {said.value.map((one) => (
        <div key={one.id} class="toast">
          {one.text}
        </div>
      ))}
    </div>
  );
}

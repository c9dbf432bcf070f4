import type { ComponentChildren } from "preact";

/** Said where a list is empty, with what to do next. */
export function Empty({ title, text, children }: { title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="nothing">
      <p>{title}</p>
      <p class="faint">{text}</p>
      {children && <div class="ways">{children}</div>}
    </div>
  );
}

import { place, setQuery } from "../router";
import { Nothing } from "./basics";

/** How many rows of a list are shown at a time. */
export const PART = 50;

/** Where the part of a list begins that is asked for: after a place that the service named. */
export function after(): string | undefined {
  return place.value.query.get("after") || undefined;
}

/** The places after which the parts before the present one begin, as far as they were gone through here. */
let trail: string[] = [];

/** From one part of a list to the next, and back. Where the part begins stands in the address. */
export function Pager({ next }: { next: string | null }) {
  const here = after() ?? "";
  if (here === "") trail = [];
  if (here === "" && next === null) return null;
  return (
    <nav class="more" aria-label="Parts of the list">
      <Step label="Previous" to={here === "" ? null : (trail.at(-1) ?? "")} on={() => trail.pop()} />
      <Step label="Next" to={next} on={() => trail.push(here)} />
    </nav>
  );
}

/** Where a list has become shorter than the place to which an address leads. */
export function End() {
  return (
    <>
      <Nothing title="The list ends before this place" />
      <Pager next={null} />
    </>
  );
}

/** Stays in reach of the keyboard where there is nowhere to go, so that who pages on does not lose their place. */
function Step({ label, to, on }: { label: string; to: string | null; on: () => void }) {
  const go = () => {
    if (to === null) return;
    on();
    setQuery({ after: to });
    document.getElementById("panel")?.scrollIntoView({ block: "start" });
  };
  return (
    <button type="button" aria-disabled={to === null} onClick={go}>
      {label}
    </button>
  );
}

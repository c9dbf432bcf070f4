import { computed, signal } from "@preact/signals";

/** Where the reader is: `#/<workspace>/<page>/<id>?…`. It stands behind the `#`, so the service need not know it. */
export interface Place {
  workspace: string;
  page: string;
  id: string;
  query: URLSearchParams;
}

const hash = signal(location.hash);
let whenLeft: (() => void) | undefined;

addEventListener("hashchange", () => {
  if (!whenLeft || location.hash === hash.value) {
    hash.value = location.hash;
    return;
  }
  history.pushState(null, "", hash.value || "#");
  whenLeft();
});

/** Stays where the reader is, whatever address is wanted, and calls a function instead; returns how that is ended. */
export function hold(instead: () => void): () => void {
  whenLeft = instead;
  return () => {
    if (whenLeft === instead) whenLeft = undefined;
  };
}

/** Goes after all where somebody wanted to go who was held: it is one step back. */
export function letGo(): void {
  whenLeft = undefined;
  history.back();
}

export const place = computed<Place>(() => {
  const [path = "", search = ""] = hash.value.replace(/^#\/?/, "").split("?", 2);
  const [workspace = "", page = "", ...rest] = path.split("/").map(decoded);
  return { workspace, page: page || "jobs", id: rest.join("/"), query: new URLSearchParams(search) };
});

/** What is not encoded as it should be stands for itself, and leads nowhere. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Returns the address of a place; who looks at the past stays there. */
export function to(workspace: string, page: string, id = "", query: Record<string, string> = {}): string {
  const path = [workspace, page, id].filter(Boolean).map(encodeURIComponent).join("/");
  const whole = { as_of: place.value.query.get("as_of") ?? "", ...query };
  const search = new URLSearchParams(Object.entries(whole).filter(([, value]) => value !== "")).toString();
  return `#/${path}${search && `?${search}`}`;
}

export function go(address: string): void {
  location.hash = address;
}

/** Parts of the query that do not say which list is shown: what is asked why, and when. */
const BESIDE: ReadonlySet<string> = new Set(["why", "at"]);

/**
 * Changes parts of the query; what is typed letter by letter leaves no trail of steps back. Another list begins at its
 * start.
 */
export function setQuery(changes: Record<string, string>, { step = true } = {}): void {
  const { workspace, page, id, query } = place.value;
  const isSameList = Object.keys(changes).every((name) => BESIDE.has(name));
  const next = { ...Object.fromEntries(query), ...(isSameList ? {} : { after: "" }), ...changes };
  const address = to(workspace, page, id, next);
  if (step) go(address);
  else {
    history.replaceState(null, "", address);
    hash.value = location.hash;
  }
}

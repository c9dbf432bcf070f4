import { alike, type Values } from "./draft";

/** Names the parts in which two definitions differ, in words. */
export function differences(from: Values, to: Values, parts: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(parts)
    .filter((name) => !alike(from[name], to[name]))
    .map((name) => `Changed: ${parts[name]}`);
}

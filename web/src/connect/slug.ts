const ID_MAX = 64;

/** Makes an id of a name. */
export function slug(name: unknown): string {
  const made = String(name ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, ID_MAX)
    .replace(/^-|-$/g, "");
  return made || "unnamed";
}

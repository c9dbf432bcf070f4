const ID_MAX = 64;

/** Makes an id of what people call a thing; `undefined` where nothing is left that an id may be made of. */
export function slug(name: unknown): string | undefined {
  const made = String(name ?? "")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, ID_MAX)
    .replace(/-+$/, "");
  return made || undefined;
}

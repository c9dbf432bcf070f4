import { signal } from "@preact/signals";

import { type Me, onSignedOut, read, signIn as openSession, signOut as closeSession } from "./api/client";

/** Who is signed in; `undefined` until that is known. */
export const me = signal<Me | null | undefined>(undefined);
/** The workspaces of who is signed in. */
export const workspaces = signal<readonly string[]>([]);
/** Why nobody could be asked. */
export const unreachable = signal<string>("");

onSignedOut(() => (me.value = null));

/** Finds out who is signed in here. */
export async function recognise(): Promise<void> {
  try {
    const { me: who } = await read("/v1/me/session", {});
    if (who) await entered(who);
    else me.value = null;
    unreachable.value = "";
  } catch (error) {
    if (!me.value) unreachable.value = error instanceof Error ? error.message : String(error);
  }
}

export async function signIn(key: string): Promise<void> {
  await entered(await openSession(key));
}

/** Raises `Problem` for who could not be signed out, and then still is signed in. */
export async function signOut(): Promise<void> {
  await closeSession();
  me.value = null;
}

async function entered(who: Me): Promise<void> {
  const found = await read("/v1/workspaces", {}, { limit: 1000 });
  workspaces.value = found.items.map((one) => one.id);
  me.value = who;
}

/** The roles that show the history. */
export const HISTORIANS = ["auditor", "administrator"];

/** Tells whether who is signed in has one of these roles. */
export function hasRole(...roles: string[]): boolean {
  return me.value?.roles.some((role) => roles.includes(role)) ?? false;
}

/** Says why who is signed in may not do what needs one of these roles. */
export function lacking(...roles: string[]): string | undefined {
  if (me.value?.read_only) return "your key may only read";
  return hasRole(...roles) ? undefined : `it needs one of: ${roles.join(", ")}`;
}

import { computed, signal } from "@preact/signals";

import {
  allowReads,
  asProblem,
  beginSignIn,
  endReads,
  finishSignIn,
  type Me,
  onSignedOut,
  type Problem,
  read,
  type Schemas,
  signIn as openSession,
  signOut as closeSession,
} from "./api/client";
import { place } from "./router";
import { asOf, PAST } from "./time/moment";

/** Who is signed in; `undefined` until that is known. */
export const me = signal<Me | null | undefined>(undefined);
/** Whom the identity provider signed in who is a member of nothing here. */
export const stranger = signal<Schemas["StrangerBody"] | null>(null);
/** By whom people sign in without a key. */
export const provider = signal<Schemas["ProviderBody"] | null>(null);
/** Why the provider signed nobody in. */
export const refused = signal<Problem | null>(null);
/** The workspaces of who is signed in. */
export const workspaces = signal<readonly string[]>([]);
/** Why nobody could be asked. */
export const unreachable = signal<string>("");

const CALLBACK = /signed-in$/;
const ANSWER = ["state", "code", "error", "iss"];

onSignedOut(() => {
  me.value = null;
  void recognise();
});

/** Finds out who is signed in here, after handing in the provider's answer if that is what the address holds. */
export async function recognise(): Promise<void> {
  try {
    if (CALLBACK.test(location.pathname)) await comeBack();
    const found = await read("/v1/me/session", {});
    stranger.value = found.stranger;
    provider.value = found.provider;
    if (found.me) await entered(found.me);
    else me.value = null;
    unreachable.value = "";
  } catch (error) {
    if (!me.value) unreachable.value = error instanceof Error ? error.message : String(error);
  }
}

export async function signIn(key: string): Promise<void> {
  await entered(await openSession(key));
}

/** Leaves for the provider; raises `Problem` where it is away. */
export async function signInElsewhere(): Promise<void> {
  const page = location.hash.slice(1);
  location.assign(await beginSignIn(/^\/(?!\/)/.test(page) ? page : "/"));
}

/** Takes the provider's answer out of the address, so that it stays in no history, and goes on where it was begun. */
async function comeBack(): Promise<void> {
  const given = new URLSearchParams(location.search);
  const answer = ANSWER.flatMap((name) => (given.has(name) ? [[name, given.get(name)!]] : []));
  history.replaceState(null, "", location.pathname.replace(CALLBACK, ""));
  if (!given.has("state")) return;
  try {
    const { page } = await finishSignIn(Object.fromEntries(answer));
    location.replace(`#${page}`);
  } catch (error) {
    refused.value = asProblem(error);
  }
}

/** Whether who is signed in wants to leave: pages end what they read first, as it would be refused. */
export const leaving = signal(false);

/** Raises `Problem` for who could not be signed out, and then still is signed in. */
export async function signOut(): Promise<void> {
  endReads();
  try {
    const elsewhere = await closeSession();
    me.value = null;
    stranger.value = null;
    if (elsewhere) location.assign(elsewhere);
  } catch (error) {
    allowReads();
    throw error;
  } finally {
    leaving.value = false;
  }
}

async function entered(who: Me): Promise<void> {
  allowReads();
  await lookAround();
  me.value = who;
}

/** Finds out which workspaces there are, once a position of the log is known to the views. */
export async function lookAround(position?: number): Promise<void> {
  const found = await read(
    "/v1/workspaces",
    {},
    { limit: 1000, ...(position !== undefined && { wait_for: position }) },
  );
  workspaces.value = found.items.map((one) => one.id);
}

/** The roles that show the history. */
export const HISTORIANS = ["auditor", "administrator"];

/** What who is signed in may do in the workspace that is shown. */
const rights = computed(
  () => me.value?.memberships.find((one) => one.workspace === place.value.workspace) ?? me.value ?? undefined,
);
/** The roles in the workspace that is shown of who is signed in. */
export const ownRoles = computed<readonly string[]>(() => rights.value?.roles ?? []);

/** Tells whether who is signed in has one of these roles in the workspace that is shown. */
export function hasRole(...roles: string[]): boolean {
  return ownRoles.value.some((role) => roles.includes(role));
}

/** Says why who is signed in may not do now what needs one of these roles. */
export function lacking(...roles: string[]): string | undefined {
  if (asOf.value) return PAST;
  if (rights.value?.read_only) return "you may only read";
  return hasRole(...roles) ? undefined : `it needs one of: ${roles.join(", ")}`;
}

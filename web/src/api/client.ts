import { asOf, PAST } from "../time/moment";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Me = Schemas["MeBody"];

type Json<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : never;
type Get<P extends keyof paths> = paths[P] extends { get: infer Operation } ? Operation : never;

/** What a path answers to a GET. */
export type Got<P extends keyof paths> = Get<P> extends { responses: { 200: infer Answer } } ? Json<Answer> : never;
/** What a path may be asked with. */
export type Asked<P extends keyof paths> = Get<P> extends { parameters: { query?: infer Query } } ? Query : never;

export type Preview = Schemas["DryRunAnswer"];
export type Done = Schemas["CommandAnswer"] & { run?: string };

/** What is wrong with one field. */
export interface Fault {
  path: string;
  detail: string;
}

/** Why the service refused, in its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: readonly Fault[] = [],
    /** What the refusal says besides, such as the way out. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

/** Says whatever went wrong as a problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "unforeseen", String(error));
}

/** Where it is no surprise that nobody is known. */
const SIGNING_IN = /^\/v1\/me\/(session|sign-in)/;

let whenSignedOut: () => void = () => {};

/** Has a function called whenever the service no longer knows who asks. */
export function onSignedOut(listener: () => void): void {
  whenSignedOut = listener;
}

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path.replace(/^\//, ""), { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", "The service does not answer.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401 && !SIGNING_IN.test(path)) whenSignedOut();
  const { code = "unknown", detail = response.statusText, errors, ...more } = problem;
  throw new Problem(response.status, code, detail, errors, more);
}

function filled(path: string, parts: Record<string, string>): string {
  return path.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ""));
}

let reads = new AbortController();

/** Ends what is being read, and lets nothing be read before `allowReads`: whoever signs out would be refused it. */
export function endReads(): void {
  reads.abort();
}

export function allowReads(): void {
  if (reads.signal.aborted) reads = new AbortController();
}

/** Reads a path of the API. */
export async function read<P extends keyof paths>(
  path: P,
  parts: Record<string, string>,
  query: Partial<NonNullable<Asked<P>>> = {},
  signal?: AbortSignal,
): Promise<Got<P>> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  const ends = SIGNING_IN.test(path) ? [] : [reads.signal];
  const response = await send(filled(path, parts) + (search && `?${search}`), {
    signal: AbortSignal.any(signal ? [...ends, signal] : ends),
  });
  return (await response.json()) as Got<P>;
}

function asJson(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A command, and the version of the thing that it was thought out for. */
export interface Order {
  command: string;
  data: unknown;
  ifMatch?: number | undefined;
}

/** One command goes by itself; several are a batch, of which all are done or none. */
function sent(workspace: string, orders: readonly Order[], { dryRun }: { dryRun: boolean }): [string, RequestInit] {
  const [first, ...others] = orders;
  const query = dryRun ? "dry_run=true" : "";
  if (!first || others.length > 0) {
    const entries = orders.map(({ command, data, ifMatch }) => ({
      command,
      data,
      if_match: ifMatch ?? null,
      ...(dryRun ? {} : { key: newKey() }),
    }));
    return [filled(`/v1/{workspace}/commands?atomic=true&${query}`, { workspace }), asJson(entries)];
  }
  const init = asJson(first.data);
  const match: Record<string, string> = first.ifMatch === undefined ? {} : { "If-Match": `"${first.ifMatch}"` };
  init.headers = { ...init.headers, ...match, ...(dryRun ? {} : { "Idempotency-Key": newKey() }) };
  return [filled(`/v1/{workspace}/commands/${first.command}?${query}`, { workspace }), init];
}

/** Says what is wrong with a batch as if it were one command: its fields have the paths of the command's own. */
function unbatched(error: unknown): never {
  if (!(error instanceof Problem)) throw error;
  const errors = error.errors.map((one) => ({ ...one, path: one.path.replace(/^\d+\.data\.?/, "") }));
  throw new Problem(error.status, error.code, error.message, errors, error.more);
}

function mustBeNow(): void {
  if (asOf.value) throw new Problem(0, "past", `Nothing can be done here: ${PAST}.`);
}

/** Asks what commands would do; nothing is done. */
export async function tryOut(workspace: string, orders: readonly Order[], signal: AbortSignal): Promise<Preview> {
  mustBeNow();
  const [path, init] = sent(workspace, orders, { dryRun: true });
  return (await (await send(path, { ...init, signal }).catch(unbatched)).json()) as Preview;
}

const AGAIN_MS = 1_000;
const UNKNOWN_MS = 600_000;
let unknown: { of: string; request: [string, RequestInit]; until: number } | undefined;

/** Tells whether nobody knows if what was sent was done. */
export function isUnknown(problem: Problem | undefined): boolean {
  return problem !== undefined && (problem.status === 0 || problem.code === "outcome_unknown");
}

/**
 * Runs commands, once, however often the answer gets lost; returns what was answered to the last. Whoever sends the same
 * again, because its end is not known, sends it with the same keys.
 */
export async function run(workspace: string, orders: readonly Order[]): Promise<Done> {
  mustBeNow();
  const of = JSON.stringify([workspace, orders]);
  const isAgain = unknown?.of === of && performance.now() < unknown.until;
  const request = isAgain ? unknown!.request : sent(workspace, orders, { dryRun: false });
  unknown = undefined;
  const once = () => send(...request).catch(unbatched);
  try {
    const response = await once().catch(async (error: unknown) => {
      if (!isUnknown(asProblem(error))) throw error;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
      return once();
    });
    return [await response.json()].flat().at(-1) as Done;
  } catch (error) {
    if (isUnknown(asProblem(error))) unknown = { of, request, until: performance.now() + UNKNOWN_MS };
    throw error;
  }
}

type Plans = Extract<keyof paths, `${string}/plans/${string}`>;
type PlanOf<P extends Plans> = paths[P]["post"]["responses"][200]["content"]["application/json"];

/** Has the service read somebody's file and say what would be made of it; nothing is done. */
export async function planned<P extends Plans>(
  path: P,
  workspace: string,
  file: paths[P]["post"]["requestBody"]["content"]["application/json"],
  signal: AbortSignal,
): Promise<PlanOf<P>> {
  return (await (await send(filled(path, { workspace }), { ...asJson(file), signal })).json()) as PlanOf<P>;
}

/** Signs in: the key goes out once and is kept nowhere. */
export async function signIn(key: string): Promise<Me> {
  return (await (await send("/v1/me/session", asJson({ key }))).json()) as Me;
}

/** Signs out, and returns where the identity provider ends its own session, where it offers that. */
export async function signOut(): Promise<string | undefined> {
  const response = await send("/v1/me/session", { method: "DELETE" });
  return response.status === 204 ? undefined : ((await response.json()) as Schemas["GoBody"]).url;
}

/** Begins to sign in by the identity provider, and returns where it asks who it is. */
export async function beginSignIn(page: string): Promise<string> {
  return ((await (await send("/v1/me/sign-in", asJson({ page }))).json()) as Schemas["GoBody"]).url;
}

/** Hands in what the provider sent the browser back with. */
export async function finishSignIn(answer: Record<string, string>): Promise<Schemas["SignedInBody"]> {
  return (await (await send("/v1/me/sign-in/answer", asJson(answer))).json()) as Schemas["SignedInBody"];
}

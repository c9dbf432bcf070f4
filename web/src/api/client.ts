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

/** Why the service refused, in its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: readonly { path: string; detail: string }[] = [],
  ) {
    super(detail);
  }
}

/** Says whatever went wrong as a problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "unforeseen", String(error));
}

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
  if (response.status === 401 && !path.endsWith("/session")) whenSignedOut();
  throw new Problem(response.status, problem.code ?? "unknown", problem.detail ?? response.statusText, problem.errors);
}

function filled(path: string, parts: Record<string, string>): string {
  return path.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ""));
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
  const response = await send(filled(path, parts) + (search && `?${search}`), { signal: signal ?? null });
  return (await response.json()) as Got<P>;
}

function asJson(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Asks what a command would do; nothing is done. */
export async function tryOut(workspace: string, name: string, fields: unknown, signal: AbortSignal): Promise<Preview> {
  const path = filled(`/v1/{workspace}/commands/${name}?dry_run=true`, { workspace });
  return (await (await send(path, { ...asJson(fields), signal })).json()) as Preview;
}

/** Runs a command, once, however often the answer gets lost. */
export async function run(workspace: string, name: string, fields: unknown): Promise<Done> {
  const init = asJson(fields);
  init.headers = { ...init.headers, "Idempotency-Key": newKey() };
  const path = filled(`/v1/{workspace}/commands/${name}`, { workspace });
  const once = () => send(path, init);
  const response = await once().catch((error: unknown) => {
    if (error instanceof Problem && (error.status === 0 || error.code === "outcome_unknown")) return once();
    throw error;
  });
  return (await response.json()) as Done;
}

/** Signs in: the key goes out once and is kept nowhere. */
export async function signIn(key: string): Promise<Me> {
  return (await (await send("/v1/me/session", asJson({ key }))).json()) as Me;
}

export async function signOut(): Promise<void> {
  await send("/v1/me/session", { method: "DELETE" });
}

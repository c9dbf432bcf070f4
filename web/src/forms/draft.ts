import { createContext } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";

import { type Fault, Problem } from "../api/client";

export type Values = Record<string, unknown>;

interface Claim {
  path: string;
  deep: boolean;
  label: string;
}

/** A fault, and the field that shows it, where there is one. */
export interface Shown extends Fault {
  label: string | undefined;
  focus: (() => void) | undefined;
}

/** What is being filled in, and what the service says about it. */
export interface Draft {
  values: Values;
  /** Changes the value at a path like `cadence.every` or `jobs.0.service`; `undefined` leaves it out. */
  set: (path: string, value: unknown) => void;
  /** Changes several values in one go. */
  change: (changes: Values) => void;
  /** Returns what the service says of a path, once its field was left or everything was sent. */
  faultOf: (path: string, of: { deep: boolean }) => string | undefined;
  touch: (path: string) => void;
  /** Says that a field shows the faults of a path; `id` is its element's. */
  claim: (id: string, of: Claim) => () => void;
  /** All that is wrong, in the order of the service. */
  faults: () => readonly Shown[];
  /** Whether anything was changed since it was opened. */
  isChanged: boolean;
}

/** A draft that begins with these values; `problem` is what the last dry run or try said. */
export function useDraft(begin: Values): {
  values: Values;
  isChanged: boolean;
  /** What it began with. */
  first: Values;
  /** How often it was begun: fields that keep what is typed begin with it. */
  begun: number;
  /** Goes on with `values` as if it had begun with `first`. */
  restart: (first: Values, values: Values) => void;
  told: (problem: Problem | undefined, of: { all: boolean }) => Draft;
} {
  const [{ first, values, begun }, setBoth] = useState({ first: begin, values: begin, begun: 0 });
  const claims = useRef(new Map<string, Claim>());
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const isChanged = JSON.stringify(values) !== JSON.stringify(first);

  const change = (changes: Values) =>
    setBoth((both) => ({
      ...both,
      values: Object.entries(changes).reduce((made, [path, value]) => placed(made, path, value), both.values),
    }));

  const told = (problem: Problem | undefined, { all }: { all: boolean }): Draft => ({
    values,
    set: (path, value) => change({ [path]: value }),
    change,
    isChanged,
    touch: (path) => setTouched((present) => (present.has(path) ? present : new Set([...present, path]))),
    claim: (id, of) => {
      claims.current.set(id, of);
      return () => claims.current.delete(id);
    },
    faultOf: (path, { deep }) => {
      if (!all && !touched.has(path)) return undefined;
      return problem?.errors.find((one) => isAt(one, path, deep))?.detail;
    },
    faults: () =>
      (problem?.errors ?? []).map((fault) => {
        const all = [...claims.current];
        const at = all.find(([, { path }]) => isAt(fault, path, false));
        const found = at ?? all.find(([, { path, deep }]) => isAt(fault, path, deep));
        return { ...fault, label: found?.[1].label, focus: found && (() => reveal(found[0])) };
      }),
  });
  const restart = (first: Values, values: Values) => setBoth(({ begun }) => ({ first, values, begun: begun + 1 }));
  return { values, isChanged, first, begun, restart, told };
}

/** Brings a field before who fills in the form, also one that is folded away. */
export function reveal(id: string): void {
  const field = document.getElementById(id);
  const folded = field?.closest("details");
  if (folded) folded.open = true;
  field?.scrollIntoView({ block: "center" });
  (field?.matches("fieldset") ? field.querySelector<HTMLElement>("input") : field)?.focus();
}

/** What is not filled in yet, said in the way in which the service says what is wrong. */
export function incomplete(faults: readonly Fault[]): Problem | undefined {
  return faults.length > 0 ? new Problem(422, "incomplete", "Something is not filled in yet.", faults) : undefined;
}

export const DraftContext = createContext<Draft | null>(null);

/** The draft of the form around. */
export function useForm(): Draft {
  const draft = useContext(DraftContext);
  if (draft === null) throw new Error("a field stands outside of every form");
  return draft;
}

/** A field's value, its fault, its element's id, and what to do when it is changed or left. */
export function useField<T>(path: string, { label, deep = false }: { label: string; deep?: boolean | undefined }) {
  const form = useForm();
  const id = useId();
  useEffect(() => form.claim(id, { path, deep, label }), [id, path, deep, label]);
  return {
    id,
    value: valueAt(form.values, path) as T | undefined,
    fault: form.faultOf(path, { deep }),
    set: (value: T | undefined) => form.set(path, value),
    leave: () => form.touch(path),
  };
}

export function valueAt(values: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, part) => (at as Values | undefined)?.[part], values);
}

/**
 * Joins what two people made of the same values, field by field: what only one of them changed is as that one made it,
 * what both did is mine, and its path is among those in `both`. A list counts as one field.
 */
export function merged(from: unknown, mine: unknown, theirs: unknown, path = ""): { value: unknown; both: string[] } {
  const [same, mineIsOld, theirsIsOld] = [alike(mine, theirs), alike(mine, from), alike(theirs, from)];
  if (same || theirsIsOld) return { value: mine, both: [] };
  if (mineIsOld) return { value: theirs, both: [] };
  if (!isPlain(from) || !isPlain(mine) || !isPlain(theirs)) return { value: mine, both: [path] };
  const value: Values = {};
  const both: string[] = [];
  for (const name of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const part = merged(from[name], mine[name], theirs[name], path ? `${path}.${name}` : name);
    if (part.value !== undefined) value[name] = part.value;
    both.push(...part.both);
  }
  return { value, both };
}

/** Tells whether two values are the same as JSON. */
export function alike(one: unknown, other: unknown): boolean {
  return JSON.stringify(ordered(one)) === JSON.stringify(ordered(other));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, ordered(value[name])]),
  );
}

function isPlain(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAt(fault: Fault, path: string, deep: boolean): boolean {
  return fault.path === path || (deep && fault.path.startsWith(`${path}.`));
}

function placed<T>(of: T, path: string, value: unknown): T {
  const [part = "", ...rest] = path.split(".");
  const next = rest.length ? placed((of as Values | undefined)?.[part] ?? {}, rest.join("."), value) : value;
  if (Array.isArray(of)) return of.map((one, place) => (place === Number(part) ? next : one)) as T;
  const made = { ...of, [part]: next } as Values;
  if (next === undefined) delete made[part];
  return made as T;
}

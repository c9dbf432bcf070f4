import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

import type { Problem } from "../api/client";

export type Values = Record<string, unknown>;
type Fault = Problem["errors"][number];

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
  /** Says that a field shows the faults of a path. */
  claim: (path: string, of: { deep: boolean }) => () => void;
  /** The faults that no field shows. */
  rest: () => readonly Fault[];
  /** Whether anything was changed since it was opened. */
  isChanged: boolean;
}

/** A draft that begins with these values; `problem` is what the last dry run or try said. */
export function useDraft(begin: Values): {
  values: Values;
  isChanged: boolean;
  told: (problem: Problem | undefined, of: { all: boolean }) => Draft;
} {
  const [values, setValues] = useState(begin);
  const first = useRef(JSON.stringify(begin));
  const claims = useRef(new Map<string, boolean>());
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const isChanged = JSON.stringify(values) !== first.current;

  const change = (changes: Values) =>
    setValues((present) => Object.entries(changes).reduce((made, [path, value]) => placed(made, path, value), present));

  const told = (problem: Problem | undefined, { all }: { all: boolean }): Draft => ({
    values,
    set: (path, value) => change({ [path]: value }),
    change,
    isChanged,
    touch: (path) => setTouched((present) => (present.has(path) ? present : new Set([...present, path]))),
    claim: (path, { deep }) => {
      claims.current.set(path, deep);
      return () => claims.current.delete(path);
    },
    faultOf: (path, { deep }) => {
      if (!all && !touched.has(path)) return undefined;
      return problem?.errors.find((one) => isAt(one, path, deep))?.detail;
    },
    rest: () => {
      const shown = [...claims.current];
      return (problem?.errors ?? []).filter((one) => !shown.some(([path, deep]) => isAt(one, path, deep)));
    },
  });
  return { values, isChanged, told };
}

export const DraftContext = createContext<Draft | null>(null);

/** The draft of the form around. */
export function useForm(): Draft {
  const draft = useContext(DraftContext);
  if (draft === null) throw new Error("a field stands outside of every form");
  return draft;
}

/** A field's value, its fault, and what to do when it is changed or left. */
export function useField<T>(path: string, { deep = false } = {}) {
  const form = useForm();
  useEffect(() => form.claim(path, { deep }), [path, deep]);
  return {
    value: valueAt(form.values, path) as T | undefined,
    fault: form.faultOf(path, { deep }),
    set: (value: T | undefined) => form.set(path, value),
    leave: () => form.touch(path),
  };
}

export function valueAt(values: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, part) => (at as Values | undefined)?.[part], values);
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

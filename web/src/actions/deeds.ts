import type { Schemas } from "../api/client";
import { to } from "../router";
import { asOf, PAST } from "../time/moment";

export type Allowed = Schemas["ScheduleItem"]["actions"][string];

/** A row of whatever view, as far as its actions go. */
export interface Owner {
  id: string;
  kind: string;
  name: string;
  active: boolean;
  paused: boolean;
  overridden?: boolean;
  deleted?: boolean;
  openRun: string | null;
  lastRun: string | null;
  actions: Record<string, Allowed>;
}

/** A note and an end; the same, and where; a note alone; whether what is behind runs at once. */
export type Asks = "pause" | "hold" | "release" | "activation";

/** A command that a person is about to run. */
export interface Deed {
  name: string;
  label: string;
  /** What the dialog asks. */
  title: string;
  command: string;
  fields: Record<string, unknown>;
  harsh?: boolean;
  /** What may be said besides. */
  asks?: Asks;
  /** What is said when it is done. */
  done: string;
}

const KINDS: Record<string, string> = { schedule: "Schedule", service: "Service", flow: "Flow", group: "Group" };

/** The part of a command's name that says what it is about. */
function subject(kind: string): string {
  return KINDS[kind] ?? "Job";
}

/** Lists what is done with a row, the likely first; what would change nothing is left out. */
export function deedsOf(owner: Owner): readonly Deed[] {
  const { id, kind, name, actions } = owner;
  const about = subject(kind);
  const ref = { kind, id };
  const switched = "deactivate" in actions ? "deactivate" : "inactivate";
  const off = kind === "schedule" ? "InactivateSchedule" : `Deactivate${about}`;
  const all: (Deed | false)[] = [
    {
      name: "run_now",
      label: "Run now",
      title: `Run ${name} now?`,
      command: "RunNow",
      fields: { owner: ref },
      done: "Started",
    },
    ...(owner.openRun === null ? [] : stops(owner.openRun, name)),
    owner.lastRun !== null && resume(owner.lastRun, name),
    !owner.active && {
      name: "activate",
      label: "Activate",
      title: `Activate ${name}?`,
      command: `Activate${about}`,
      fields: { id },
      ...(kind === "schedule" && { asks: "activation" as const }),
      done: "Activated",
    },
    owner.active && {
      name: switched,
      label: capitalised(switched),
      title: `${capitalised(switched)} ${name}?`,
      command: off,
      fields: { id },
      done: `${capitalised(switched)}d`,
    },
    !owner.paused && {
      name: "pause",
      label: "Pause …",
      title: `Pause ${name}?`,
      command: "PauseOwner",
      fields: { owner: ref },
      asks: "pause",
      done: "Paused",
    },
    owner.paused && {
      name: "unpause",
      label: "End the pause",
      title: `End the pause of ${name}?`,
      command: "UnpauseOwner",
      fields: { owner: ref },
      done: "The pause is over",
    },
    owner.overridden === true && {
      name: "clear_override",
      label: "Give up the local cadence",
      title: `Give ${name} the cadence of its definition again?`,
      command: "ClearCadenceOverride",
      fields: { id },
      done: "The cadence is the definition's again",
    },
    {
      name: "delete",
      label: "Delete",
      title: `Delete ${name}?`,
      command: `Delete${about}`,
      fields: { id },
      harsh: true,
      done: "Deleted",
    },
    owner.deleted === true && {
      name: "restore",
      label: "Restore",
      title: `Restore ${name}?`,
      command: `Restore${about}`,
      fields: { id },
      done: "Restored",
    },
  ];
  return all.filter((one): one is Deed => one !== false && one.name in actions);
}

/** What is done with all starts of a workspace. */
export const HOLD: Deed = {
  name: "hold",
  label: "Hold all starts …",
  title: "Hold all starts?",
  command: "HoldStarts",
  fields: {},
  asks: "hold",
  harsh: true,
  done: "Held",
};

/** Ends a hold of one place. */
export function release({ everywhere }: { everywhere: boolean }): Deed {
  return {
    name: "release",
    label: "Release",
    title: everywhere ? "Release all starts everywhere?" : "Release all starts?",
    command: "ReleaseStarts",
    fields: { everywhere },
    asks: "release",
    done: "Released",
  };
}

/** What is done with a run, by the names that a run's own actions have. */
export function deedsOfRun(run: string, owner: { kind: string; id: string }): readonly Deed[] {
  const again: Deed = {
    name: "run_again",
    label: "Run again",
    title: `Run ${owner.id} again?`,
    command: "RunNow",
    fields: { owner },
    done: "Started",
  };
  return [...stops(run, owner.id, "stop"), { ...resume(run, owner.id, "resume"), label: "Resume" }, again];
}

function stops(run: string, of: string, name = "stop_run"): Deed[] {
  return [
    {
      name,
      label: "Stop",
      title: `Stop the run of ${of}?`,
      command: "StopRun",
      fields: { run, mode: "now" },
      harsh: true,
      done: "Asked to stop",
    },
    {
      name,
      label: "Stop after what runs now",
      title: `Let what runs now end, and then stop the run of ${of}?`,
      command: "StopRun",
      fields: { run, mode: "after_current" },
      done: "Will stop after what runs now",
    },
  ];
}

function resume(run: string, of: string, name = "resume_run"): Deed {
  return {
    name,
    label: "Resume the last run",
    title: `Run again what did not succeed in the last run of ${of}?`,
    command: "ResumeRun",
    fields: { run },
    done: "Resumed",
  };
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Returns the stream in which the facts of a row are. */
export function streamOf({ kind, id }: Owner): string {
  return `${kind in KINDS ? kind : "job"}:${id}`;
}

/** Returns why an action cannot be done now. */
export function reasonOf(actions: Record<string, Allowed>, name: string): string | undefined {
  if (asOf.value) return PAST;
  const allowed = actions[name];
  return allowed === undefined || allowed === true ? undefined : allowed.reason;
}

export function runAddress(workspace: string, run: string): string {
  return to(workspace, "runs", run);
}

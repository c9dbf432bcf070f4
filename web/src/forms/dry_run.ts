import { useEffect, useState } from "preact/hooks";

import { type Order, type Preview, type Problem, tryOut } from "../api/client";
import { listen } from "../live/stream";
import { Reading } from "../live/view";

const TYPING_MS = 300;

export interface Tried {
  preview: Preview | undefined;
  problem: Problem | undefined;
  /** Whether what is shown is about what was asked before. */
  isOld: boolean;
}

/**
 * Asks what commands would do, a moment after they were changed, and again when something happens; nothing is asked
 * while there is none. The first time it is asked at once.
 */
export function useTrial(workspace: string, orders: readonly Order[] | undefined): Tried {
  const [tried, setTried] = useState<Omit<Tried, "isOld"> & { of: string }>({
    preview: undefined,
    problem: undefined,
    of: "",
  });
  const of = JSON.stringify(orders);

  useEffect(() => {
    if (orders === undefined) return;
    const reading = new Reading(
      async (_, signal) => {
        const preview = await tryOut(workspace, orders, signal);
        setTried({ preview, problem: undefined, of });
      },
      (problem) => setTried(({ preview }) => ({ preview, problem, of })),
    );
    const timer = setTimeout(() => reading.look(), tried.of === "" ? 0 : TYPING_MS);
    const unlisten = listen(({ type, position }) => type !== "progress" && reading.hear(position));
    return () => {
      clearTimeout(timer);
      reading.stop();
      unlisten();
    };
  }, [workspace, of]);

  return { ...tried, isOld: tried.of !== of };
}

/** The same for one command. */
export function useDryRun(workspace: string, command: string, fields: unknown): Tried {
  return useTrial(workspace, fields === undefined ? undefined : [{ command, data: fields }]);
}

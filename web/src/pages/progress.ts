import { useEffect, useState } from "preact/hooks";

import { listen } from "../live/stream";
import { asOf } from "../time/moment";

export interface Progress {
  fraction: number | null;
  text: string | null;
  counts: Record<string, number>;
}

/** How far each row of a run is, as it is told between two facts and kept nowhere. */
export type Live = ReadonlyMap<number, Progress>;

export function useProgress(run: string): Live {
  const [live, setLive] = useState<Live>(new Map());
  const past = asOf.value;
  useEffect(() => {
    setLive(new Map());
    if (past) return;
    return listen(({ stream, type, progress }) => {
      if (type !== "progress" || stream !== `run:${run}` || !progress) return;
      setLive((known) => new Map(known).set(progress.row, progress));
    });
  }, [run, past]);
  return live;
}

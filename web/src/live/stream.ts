import { signal } from "@preact/signals";

import { recognise } from "../session";

/** A fact that joined the log, or progress of a run that is not kept. */
export interface Happened {
  stream: string;
  position: number;
  type: string;
  /** How far a row of a run is, where it is that which is told. */
  progress?: { row: number; fraction: number | null; text: string | null; counts: Record<string, number> };
}

type Listener = (happened: Happened) => void;
type Told = { happened: Happened } | { state: State; upTo?: number };
type Message = Told | { asks: true };
export type State = "connecting" | "live" | "away";

/** Whether what happens is heard at once. */
export const liveState = signal<State>("connecting");
/** Counts how often the log was found to be another one than was heard of, such as a restored one. */
export const era = signal(0);

const AGAIN_MS = 3000;

/**
 * What happens in a workspace. All pages of a browser share one connection, as it keeps few to one host: the page that
 * holds the lock listens and tells the others.
 */
class Stream {
  private readonly listeners = new Set<Listener>();
  private readonly closing = new AbortController();
  private readonly channel: BroadcastChannel;
  private leads = false;
  /** The last position that was heard of. */
  upTo = 0;

  constructor(private readonly workspace: string) {
    const name = `eventjobs-live:${workspace}`;
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }: MessageEvent<Message>) => this.heed(data);
    liveState.value = "connecting";
    if (navigator.locks) {
      navigator.locks.request(name, { signal: this.closing.signal }, () => this.lead()).catch(() => undefined);
      this.channel.postMessage({ asks: true });
    } else {
      void this.lead();
    }
  }

  add(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.closing.abort();
    this.channel.close();
  }

  /** Where browsers have no locks, as without TLS, each page listens for itself and needs nobody's word. */
  private heed(message: Message): void {
    if (!this.leads) "asks" in message || this.hear(message);
    else if ("asks" in message) this.channel.postMessage({ state: liveState.value, upTo: this.upTo });
  }

  private hear(message: Told): void {
    if ("happened" in message) this.tell(message.happened);
    else this.become(message.state, message.upTo ?? this.upTo);
  }

  private tell(happened: Happened): void {
    this.upTo = Math.max(this.upTo, happened.position);
    for (const listener of this.listeners) listener(happened);
  }

  /** Whoever was away has missed something, so everything counts as new, up to where the log was by then. */
  private become(state: State, upTo: number): void {
    const was = liveState.value;
    liveState.value = state;
    if (state !== "live" || was === "live") return;
    if (upTo < this.upTo) era.value = era.peek() + 1;
    this.upTo = upTo;
    this.tell({ stream: "", position: upTo, type: "" });
  }

  private lead(): Promise<void> {
    this.leads = true;
    this.say({ state: "connecting" });
    return new Promise((done) => {
      let source = this.open();
      const again = setInterval(() => {
        if (source.readyState !== EventSource.CLOSED) return;
        void recognise();
        source = this.open();
      }, AGAIN_MS);
      this.closing.signal.addEventListener("abort", () => {
        clearInterval(again);
        source.close();
        done();
      });
    });
  }

  private say(message: Told): void {
    this.hear(message);
    if (!this.closing.signal.aborted) this.channel.postMessage(message);
  }

  private open(): EventSource {
    const source = new EventSource(`v1/${encodeURIComponent(this.workspace)}/live`);
    source.addEventListener("head", ({ data }: MessageEvent<string>) => {
      this.say({ state: "live", upTo: JSON.parse(data).position });
    });
    source.onerror = () => this.say({ state: "away" });
    source.onmessage = ({ data }: MessageEvent<string>) => this.say({ happened: JSON.parse(data) });
    source.addEventListener("progress", ({ data }: MessageEvent<string>) => {
      const progress = JSON.parse(data);
      this.say({ happened: { stream: `run:${progress.run}`, position: 0, type: "progress", progress } });
    });
    return source;
  }
}

let current: { workspace: string; stream: Stream } | undefined;

/** Follows a workspace from now on, and no other. */
export function follow(workspace: string | null): void {
  if (current?.workspace === workspace) return;
  current?.stream.close();
  current = workspace === null ? undefined : { workspace, stream: new Stream(workspace) };
}

/** Returns the last position that was heard of in the workspace that is followed. */
export function heardUpTo(): number {
  return current?.stream.upTo ?? 0;
}

/** Has a function hear what happens in the workspace that is followed. */
export function listen(listener: Listener): () => void {
  return current?.stream.add(listener) ?? (() => undefined);
}

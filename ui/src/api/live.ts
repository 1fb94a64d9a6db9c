import type { Query, QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { isGone } from "./deletion";
import { follow, type Message } from "./stream";
import type { RunNews } from "./types";

/** `live`: told of every change. `polling`: asks every few seconds. `away`: the server does not answer. */
export type Connection = "connecting" | "live" | "polling" | "away";

/** What changed: which nouns, and, when it was about few, which flow runs. */
export interface Change {
  nouns: string[];
  flow_runs?: string[];
}

const POLL = 5_000;
const RECONNECT = [1_000, 2_000, 5_000, 15_000, 30_000];
/** Changes are collected for this long, so that a busy server causes one round of requests and not fifty. */
const COLLECT = 700;
/** For what changes seldom, and for lists that a busy server changes all the time. */
const COLLECT_SLOWLY = 4_000;

/** What is read while it grows, and what may have changed when something was stored of which the stream says no more. */
const GROWING = ["logs", "artifacts"];
const OTHERS = ["flows", "flow_runs", "task_runs", "deployments", "work_pools", "schedules"];
/** More runs than this in one message, and everything may have changed. */
const FEW = 100;

let connection: Connection = "connecting";
const listeners = new Set<() => void>();

function become(next: Connection): void {
  if (next === connection) return;
  connection = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => connection);
}

/** How often a query asks by itself: not at all while the stream tells of changes. `meta.still` marks what never changes. */
export function refreshInterval(query: { meta?: Record<string, unknown> | undefined }): number | false {
  return connection === "live" || query.meta?.still ? false : POLL;
}

/** Queries are about a noun, the first part of their key, and may be about one flow run, which their `meta.flowRun` names. */
export function isTouched(change: Change, query: Pick<Query, "queryKey" | "meta">): boolean {
  if (query.meta?.still || !change.nouns.includes(String(query.queryKey[0]))) return false;
  const run = query.meta?.flowRun;
  return !change.flow_runs || typeof run !== "string" || change.flow_runs.includes(run);
}

export function mergeChanges(a: Change | null, b: Change): Change {
  if (!a) return b;
  const merged: Change = { nouns: [...new Set([...a.nouns, ...b.nouns])] };
  if (a.flow_runs && b.flow_runs) merged.flow_runs = [...new Set([...a.flow_runs, ...b.flow_runs])];
  return merged;
}

/** What a message means: at once, and after a while. */
export function changesOf({ event, data }: Pick<Message, "event" | "data">): {
  soon: Change | null;
  later: Change | null;
} {
  if (event === "commit") return { soon: { nouns: GROWING }, later: { nouns: OTHERS } };
  if (event !== "states") return { soon: null, later: null };
  const news = JSON.parse(data) as RunNews[];
  const tasks = news.some((one) => one.kind === "task-run");
  const flows = news.some((one) => one.kind === "flow-run");
  const runs = [...new Set(news.flatMap((one) => (one.kind === "flow-run" ? one.id : (one.flow_run_id ?? []))))];
  const soon: Change = { nouns: [...(flows ? ["flow_runs"] : []), ...(tasks ? ["task_runs"] : []), ...GROWING] };
  if (runs.length <= FEW) soon.flow_runs = runs;
  return { soon, later: flows ? { nouns: ["deployments", "work_pools", "flows"] } : null };
}

/** Changes on their way to the cache, some time after the first of them came. */
class Collection {
  private held: Change | null = null;
  private timer = 0;

  constructor(
    private readonly client: QueryClient,
    private readonly patience: number,
  ) {}

  add(change: Change | null): void {
    if (!change) return;
    this.held = mergeChanges(this.held, change);
    this.timer ||= window.setTimeout(() => this.flush(), this.patience);
  }

  /** A page that nobody looks at asks for nothing; it catches up when somebody does. */
  flush(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    if (document.hidden || !this.held) return;
    const change = this.held;
    this.held = null;
    const predicate = (query: Query) => isTouched(change, query) && !isGone(this.client, query);
    void this.client.invalidateQueries({ predicate }, { cancelRefetch: false });
  }

  end(): void {
    window.clearTimeout(this.timer);
    this.held = null;
  }
}

/** Listens to the server's changes for as long as the page is open; the returned function ends it. */
export function startLive(client: QueryClient): () => void {
  const soon = new Collection(client, COLLECT);
  const later = new Collection(client, COLLECT_SLOWLY);
  const ended = new AbortController();
  let cursor: string | null = null;
  let failures = 0;

  const take = (message: Message) => {
    cursor = message.id ?? cursor;
    const changes = changesOf(message);
    soon.add(changes.soon);
    later.add(changes.later);
  };
  const opened = () => {
    failures = 0;
    become("live");
  };
  const connect = async () => {
    while (!ended.signal.aborted) {
      try {
        await follow("/api/live", cursor, ended.signal, opened, take);
      } catch {
        // Refused or cut off: until the next attempt the page asks by itself.
      }
      if (ended.signal.aborted) return;
      become(navigator.onLine ? "polling" : "away");
      await pause(RECONNECT[Math.min(failures++, RECONNECT.length - 1)] ?? POLL, ended.signal);
    }
  };
  const look = () => {
    if (document.hidden) return;
    soon.flush();
    later.flush();
  };

  void connect();
  document.addEventListener("visibilitychange", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    ended.abort();
    soon.end();
    later.end();
  };
}

function pause(duration: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, duration);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

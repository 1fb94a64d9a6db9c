import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { isGone } from "./deletion";

const about = (id: string, answered: number) => ({
  queryKey: ["flow_runs", "one", id],
  meta: undefined,
  state: { dataUpdatedAt: answered },
});

/** A client whose one deletion was asked for at the instant 10. */
function deleting(status: "pending" | "success" | "error") {
  const client = new QueryClient();
  client
    .getMutationCache()
    .build(client, { mutationKey: ["delete"] }, { ...idle, status, submittedAt: 10, variables: "a" });
  return client;
}

const idle = {
  context: undefined,
  data: undefined,
  error: null,
  failureCount: 0,
  failureReason: null,
  isPaused: false,
};

describe("what is deleted", () => {
  it("is gone from when it is asked for", () => {
    expect(isGone(deleting("pending"), about("a", 5))).toBe(true);
    expect(isGone(deleting("success"), about("a", 5))).toBe(true);
  });

  it("takes what is about it along", () => {
    const logs = { queryKey: ["logs"], meta: { flowRun: "a" }, state: { dataUpdatedAt: 5 } };
    expect(isGone(deleting("success"), logs)).toBe(true);
  });

  it("leaves others alone", () => {
    expect(isGone(deleting("success"), about("b", 5))).toBe(false);
  });

  it("is there after all when that failed, and when another has taken its name since", () => {
    expect(isGone(deleting("error"), about("a", 5))).toBe(false);
    expect(isGone(deleting("success"), about("a", 15))).toBe(false);
  });
});

import { authorization } from "./key";

/** The server said no, or nothing at all (status 0). The message is a sentence for people. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly details: FieldError[] = [],
  ) {
    super(message);
  }
}

/** Whether the thing asked for is not there, or its id is none at all: either way the address leads nowhere. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return (
    error.status === 404 || (error.status === 422 && error.details.some(({ path }) => /_id$/.test(String(path[0]))))
  );
}

/** What is wrong with one field of a request; `path` leads to it. */
export interface FieldError {
  path: (string | number)[];
  message: string;
}

interface Call {
  body?: unknown;
  query?: Record<string, string>;
  signal?: AbortSignal;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The one way to the server. Answers without a body are `undefined`. */
export async function call<Answer>(method: Method, path: string, { body, query, signal }: Call = {}): Promise<Answer> {
  const address = `${path.startsWith("/ui-") ? "" : "/api"}${path}${query ? `?${new URLSearchParams(query)}` : ""}`;
  const request: RequestInit = {
    method,
    signal: signal ?? null,
    headers: { accept: "application/json", ...authorization() },
  };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...request.headers, "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(address, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The server does not answer. Is it running?", 0);
  }
  const text = await response.text();
  if (!response.ok) throw explain(response.status, text);
  return (text ? JSON.parse(text) : undefined) as Answer;
}

function explain(status: number, text: string): ApiError {
  let said: Record<string, unknown> = {};
  try {
    said = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not ours: a proxy's page, say. The status has to do.
  }
  const list = [said.exception_detail, said.detail].find(Array.isArray) as
    | { loc?: (string | number)[]; msg?: string }[]
    | undefined;
  const details = (list ?? []).map(({ loc, msg }) => ({ path: (loc ?? []).slice(1), message: msg ?? "is not right" }));
  const one = [said.detail, said.exception_message].find((part) => typeof part === "string" && part) as
    | string
    | undefined;
  const fields = details.map((detail) => [detail.path.join("."), detail.message].filter(Boolean).join(": ")).join("; ");
  const known: Record<number, string> = {
    401: "You are not signed in.",
    403: "You are not allowed to do this.",
    404: "There is nothing here of that name or id.",
  };
  return new ApiError(fields || one || known[status] || `The server answered ${status}.`, status, details);
}

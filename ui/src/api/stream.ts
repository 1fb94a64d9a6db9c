import { authorization } from "./key";

/** A message of a stream of server-sent events. */
export interface Message {
  event: string;
  data: string;
  id: string | null;
}

/** Takes pieces of text as they come and gives the messages that are complete. */
export function messageReader(): (piece: string) => Message[] {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split(/\r?\n\r?\n/);
    rest = lines.pop() ?? "";
    return lines.flatMap(parseMessage);
  };
}

function parseMessage(text: string): Message[] {
  const message: Message = { event: "message", data: "", id: null };
  const data: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === "data") data.push(value ?? "");
    else if (name === "event") message.event = value ?? "";
    else if (name === "id") message.id = value ?? "";
  }
  return data.length ? [{ ...message, data: data.join("\n") }] : [];
}

/**
 * Follows a stream until it ends or is aborted. The browser's own EventSource cannot say who asks; this one sends the key.
 * Calls `opened` when the server has answered. Throws when it refuses or cannot be reached.
 */
export async function follow(
  path: string,
  after: string | null,
  signal: AbortSignal,
  opened: () => void,
  take: (message: Message) => void,
): Promise<void> {
  const headers = { accept: "text/event-stream", ...authorization(), ...(after ? { "last-event-id": after } : {}) };
  const response = await fetch(path, { headers, signal, cache: "no-store" });
  if (!response.ok || !response.body) throw new Error(`The stream of changes is refused: ${response.status}`);
  opened();
  const read = messageReader();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const message of read(value)) take(message);
  }
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { flowRunStates } from "@/api/flow-runs";
import { taskRunStates } from "@/api/task-runs";
import type { GraphNode } from "@/api/types";
import { buttonClass, IconButton } from "@/components/button";
import { isFinal } from "@/components/look";
import { Fact } from "@/components/page";
import { State, StateIcon } from "@/components/state";
import { Duration } from "@/components/time";
import { formatDuration } from "@/format/duration";
import { formatOffset } from "./timeline/layout";

interface InspectorProps {
  node: GraphNode;
  /** When the flow run began, for offsets. */
  origin: number;
  nodes: ReadonlyMap<string, GraphNode>;
  select: (id: string | null) => void;
  showLogs: () => void;
}

const FEW = 6;

/** What is known about the task run or subflow run that was chosen in the timeline or the graph. */
export function Inspector({ node, origin, nodes, select, showLogs }: InspectorProps) {
  const subflow = node.kind === "flow-run";
  const { data: states } = useQuery(subflow ? flowRunStates(node.id) : taskRunStates(node.id));
  const message = states?.findLast((state) => state.message)?.message;
  return (
    <aside
      aria-label={`About ${node.label}`}
      className="flex min-w-0 flex-col gap-3.5 overflow-y-auto border-line border-t bg-paper p-4 md:max-h-[494px] md:w-80 md:border-t-0 md:border-l"
    >
      <div className="flex items-start justify-between gap-2">
        <div className="min-w-0">
          <div className="break-words font-semibold">{node.label}</div>
          <State type={node.state_type} name={node.state_name} className="mt-1" />
        </div>
        <IconButton label="Close" size="sm" onClick={() => select(null)}>
          <X />
        </IconButton>
      </div>
      {message && (
        <p className="max-h-40 overflow-y-auto whitespace-pre-wrap break-words rounded-md bg-bed px-2.5 py-2 font-mono text-2xs text-ink-2">
          {message}
        </p>
      )}
      <dl className="grid grid-cols-2 gap-3">
        <Fact name="Began">
          {node.start_time ? `at ${formatOffset(Date.parse(node.start_time) - origin, 100)}` : "–"}
        </Fact>
        <Fact name="Duration">
          <Duration from={node.start_time} to={node.end_time} running={!isFinal(node.state_type)} />
        </Fact>
      </dl>
      {node.attempts && node.attempts.length > 1 && (
        <Section name={`${node.attempts.length} attempts`}>
          <ol className="flex flex-col gap-1">
            {node.attempts.map((attempt) => (
              <li key={attempt.start_time} className="flex items-center gap-2 text-xs">
                <StateIcon type={attempt.state_type} name={attempt.state_name ?? null} />
                <span className="text-ink-2">at {formatOffset(Date.parse(attempt.start_time) - origin, 100)}</span>
                <span className="ml-auto">
                  {attempt.end_time
                    ? formatDuration((Date.parse(attempt.end_time) - Date.parse(attempt.start_time)) / 1000)
                    : "running"}
                </span>
              </li>
            ))}
          </ol>
        </Section>
      )}
      <Neighbours name="Waited for" ids={node.parents} nodes={nodes} select={select} />
      <Neighbours name="Waited for by" ids={node.children} nodes={nodes} select={select} />
      <div className="mt-auto flex gap-2 pt-1">
        <Link
          to={subflow ? "/runs/$id" : "/task-runs/$id"}
          params={{ id: node.id }}
          className={buttonClass("plain", "sm")}
        >
          Open
        </Link>
        {!subflow && (
          <button type="button" onClick={showLogs} className={buttonClass("bare", "sm")}>
            Its logs below
          </button>
        )}
      </div>
    </aside>
  );
}

function Section({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <h3 className="mb-1 font-normal text-ink-3 text-xs">{name}</h3>
      {children}
    </div>
  );
}

function Neighbours({
  name,
  ids,
  nodes,
  select,
}: {
  name: string;
  ids: { id: string }[];
  nodes: ReadonlyMap<string, GraphNode>;
  select: (id: string) => void;
}) {
  const known = ids.flatMap(({ id }) => nodes.get(id) ?? []);
  if (known.length === 0) return null;
  return (
    <Section name={name}>
      <ul className="flex flex-col">
        {known.slice(0, FEW).map((node) => (
          <li key={node.id}>
            <button
              type="button"
              onClick={() => select(node.id)}
              className="-mx-1.5 flex w-[calc(100%+0.75rem)] items-center gap-2 rounded-md px-1.5 py-1 text-left hover:bg-hover"
            >
              <StateIcon type={node.state_type} name={node.state_name ?? null} />
              <span className="cut">{node.label}</span>
            </button>
          </li>
        ))}
        {known.length > FEW && <li className="text-ink-3 text-xs">and {known.length - FEW} more</li>}
      </ul>
    </Section>
  );
}

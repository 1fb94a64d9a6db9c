import { Dialog } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Activity, Boxes, FileText, LayoutDashboard, Rocket, Search, Workflow } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useDeferredValue, useId, useState } from "react";
import { latestArtifacts } from "@/api/artifacts";
import { deploymentPage } from "@/api/deployments";
import { flowRunPage } from "@/api/flow-runs";
import { flowPage } from "@/api/flows";
import { workPoolPage } from "@/api/work-pools";
import { cx } from "@/components/cx";
import { StateMark } from "@/components/state";
import { RelativeTime } from "@/components/time";

interface Found {
  key: string;
  icon: ReactNode;
  label: string;
  kind: string;
  beside?: ReactNode;
  open: () => void;
}

const FEW = 5;

/** Any room, flow, deployment, run or artifact by its name, from anywhere. */
export default function Finder({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { found, asking } = useFound(useDeferredValue(text.trim()));
  const list = useId();
  const chosen = Math.min(at, found.length - 1);
  const open = (one: Found | undefined) => {
    if (!one) return;
    one.open();
    close();
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      open(found[chosen]);
    } else if (step) {
      event.preventDefault();
      const next = (chosen + step + found.length) % Math.max(1, found.length);
      setAt(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
    }
  };
  return (
    <Dialog.Root open onOpenChange={(next) => !next && close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fading fixed inset-0 z-40 bg-scrim" />
        <Dialog.Popup className="rising fixed inset-x-3 top-[14vh] z-40 mx-auto max-w-xl overflow-hidden rounded-lg bg-paper shadow-float outline-none">
          <Dialog.Title className="sr-only">Find</Dialog.Title>
          <div className="flex items-center gap-2.5 border-line border-b px-4">
            <Search className="size-4 text-ink-3" />
            <input
              role="combobox"
              aria-expanded="true"
              aria-controls={list}
              aria-activedescendant={found.length ? `${list}-${chosen}` : undefined}
              aria-label="Find a room, a flow, a deployment, a run or an artifact"
              placeholder="Find a flow, a deployment, a run…"
              autoComplete="off"
              spellCheck={false}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setAt(0);
              }}
              onKeyDown={press}
              className="h-12 w-full bg-transparent text-md outline-none"
            />
          </div>
          <div id={list} role="listbox" aria-label="Found" className="max-h-[50vh] overflow-y-auto p-1.5">
            {found.map((one, index) => (
              <div
                key={one.key}
                id={`${list}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === chosen}
                onPointerMove={() => setAt(index)}
                onClick={() => open(one)}
                onKeyDown={press}
                className={cx(
                  "flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 [&_svg]:size-4 [&_svg]:shrink-0",
                  index === chosen && "bg-press",
                )}
              >
                <span className="text-ink-3">{one.icon}</span>
                <span className="cut font-medium">{one.label}</span>
                <span className="ml-auto shrink-0 text-ink-3 text-xs">
                  {one.kind} {one.beside}
                </span>
              </div>
            ))}
            {found.length === 0 && !asking && <p className="px-3 py-6 text-center text-ink-3">Nothing of that name</p>}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function useFound(text: string): { found: Found[]; asking: boolean } {
  const navigate = useNavigate();
  const enabled = text.length > 0;
  const flows = useQuery({ ...flowPage({ name: { like_: text } }, "NAME_ASC", 0, FEW), enabled });
  const deployments = useQuery({
    ...deploymentPage({ deployments: { flow_or_deployment_name: { like_: text } } }, "NAME_ASC", 0, FEW),
    enabled,
  });
  const runs = useQuery({
    ...flowRunPage({ flow_runs: { name: { like_: text } } }, "START_TIME_DESC", 0, FEW),
    enabled,
  });
  const pools = useQuery(workPoolPage(0, 200));
  const artifacts = useQuery({ ...latestArtifacts({ key: { like_: text } }, "UPDATED_DESC", 0, FEW), enabled });

  const rooms: [string, ReactNode, () => void][] = [
    ["Overview", <LayoutDashboard key="i" />, () => navigate({ to: "/" })],
    ["Runs", <Activity key="i" />, () => navigate({ to: "/runs" })],
    [
      "Failed and crashed runs",
      <StateMark key="i" type="FAILED" />,
      () => navigate({ to: "/runs", search: { state: "failed,crashed" } }),
    ],
    [
      "Running now",
      <StateMark key="i" type="RUNNING" />,
      () => navigate({ to: "/runs", search: { state: "running" } }),
    ],
    [
      "Upcoming runs",
      <StateMark key="i" type="SCHEDULED" />,
      () => navigate({ to: "/runs", search: { since: "next" } }),
    ],
    ["Flows", <Workflow key="i" />, () => navigate({ to: "/flows" })],
    ["Deployments", <Rocket key="i" />, () => navigate({ to: "/deployments" })],
    ["Work pools", <Boxes key="i" />, () => navigate({ to: "/work-pools" })],
    ["Artifacts", <FileText key="i" />, () => navigate({ to: "/artifacts" })],
  ];
  const like = (label: string) => label.toLowerCase().includes(text.toLowerCase());
  const found: Found[] = rooms
    .filter(([label]) => like(label))
    .map(([label, icon, open]) => ({ key: label, icon, label, kind: "", open }));
  const asking = [flows, deployments, runs, artifacts].some((query) => query.isFetching);
  if (!enabled) return { found, asking: false };
  for (const flow of flows.data ?? [])
    found.push({
      key: flow.id,
      icon: <Workflow />,
      label: flow.name,
      kind: "flow",
      open: () => navigate({ to: "/flows/$id", params: { id: flow.id } }),
    });
  for (const one of deployments.data ?? [])
    found.push({
      key: one.id,
      icon: <Rocket />,
      label: one.name,
      kind: "deployment",
      open: () => navigate({ to: "/deployments/$id", params: { id: one.id } }),
    });
  for (const pool of (pools.data ?? []).filter((one) => like(one.name)).slice(0, FEW)) {
    found.push({
      key: pool.id,
      icon: <Boxes />,
      label: pool.name,
      kind: "work pool",
      open: () => navigate({ to: "/work-pools/$name", params: { name: pool.name } }),
    });
  }
  for (const artifact of artifacts.data ?? []) {
    found.push({
      key: artifact.id,
      icon: <FileText />,
      label: artifact.key,
      kind: "artifact",
      open: () => navigate({ to: "/artifacts/key/$key", params: { key: artifact.key } }),
    });
  }
  for (const run of runs.data ?? []) {
    found.push({
      key: run.id,
      icon: <StateMark type={run.state_type} name={run.state_name} />,
      label: run.name,
      kind: "run",
      beside: <RelativeTime at={run.start_time ?? run.expected_start_time} />,
      open: () => navigate({ to: "/runs/$id", params: { id: run.id } }),
    });
  }
  return { found, asking };
}

import { useQuery } from "@tanstack/react-query";
import { Search, X } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { deploymentPage } from "@/api/deployments";
import { flowPage } from "@/api/flows";
import { workPoolPage } from "@/api/work-pools";
import { Button, IconButton } from "@/components/button";
import { Facet } from "@/components/facet";
import { Input } from "@/components/field";
import { nameOfState } from "@/components/look";
import { type Option, Select } from "@/components/select";
import { StateMark } from "@/components/state";
import { type RunFilters as Filters, isNarrowed, type Since, STATE_WORDS } from "./run-search";

const STATES: Option[] = STATE_WORDS.map(({ word, type, name }) => ({
  value: word,
  label: nameOfState(type, name),
  icon: <StateMark type={type} name={name} />,
}));

const WHEN: Option<Since>[] = [
  { value: "1h", label: "Past hour" },
  { value: "24h", label: "Past 24 hours" },
  { value: "7d", label: "Past 7 days" },
  { value: "30d", label: "Past 30 days" },
  { value: "all", label: "All until now" },
  { value: "next", label: "Upcoming" },
];

interface RunFiltersProps {
  filters: Filters;
  change: (part: Partial<Filters>) => void;
  clear: () => void;
}

export function RunFilters({ filters, change, clear }: RunFiltersProps) {
  const [wanted, setWanted] = useState("");
  const typed = useDeferredValue(wanted);
  const { data: flows } = useQuery(flowPage(typed ? { name: { like_: typed } } : {}, "NAME_ASC", 0, 100));
  const { data: chosen } = useQuery({
    ...flowPage({ id: { any_: filters.flows } }, "NAME_ASC", 0, 100),
    enabled: filters.flows.length > 0,
  });
  const { data: deployments } = useQuery(deploymentPage({}, "NAME_ASC", 0, 200));
  const { data: pools } = useQuery(workPoolPage(0, 200));

  const flowOptions = useMemo(() => {
    const known = new Map(
      [...(flows ?? []), ...(chosen ?? [])].map((flow) => [flow.id, { value: flow.id, label: flow.name }]),
    );
    return [...known.values()].sort((a, b) => a.label.localeCompare(b.label));
  }, [flows, chosen]);
  const deploymentOptions = useMemo(
    () => (deployments ?? []).map((one) => ({ value: one.id, label: one.name })),
    [deployments],
  );
  const poolOptions = useMemo(() => (pools ?? []).map((pool) => ({ value: pool.name, label: pool.name })), [pools]);

  return (
    <search className="flex flex-wrap items-center gap-2">
      <NameField name={filters.name} change={(name) => change({ name })} />
      <Select
        label="Time"
        options={WHEN}
        value={filters.since}
        change={(since) => change({ since, sort: undefined })}
        className="w-36"
      />
      {filters.since !== "next" && (
        <Facet label="State" options={STATES} chosen={filters.states} change={(states) => change({ states })} />
      )}
      <Facet
        label="Flow"
        options={flowOptions}
        chosen={filters.flows}
        change={(flows) => change({ flows })}
        search={setWanted}
      />
      {deploymentOptions.length > 0 && (
        <Facet
          label="Deployment"
          options={deploymentOptions}
          chosen={filters.deployments}
          change={(list) => change({ deployments: list })}
        />
      )}
      {poolOptions.length > 0 && (
        <Facet
          label="Work pool"
          options={poolOptions}
          chosen={filters.pools}
          change={(list) => change({ pools: list })}
        />
      )}
      {filters.tags.map((tag) => (
        <Button key={tag} size="sm" onClick={() => change({ tags: filters.tags.filter((other) => other !== tag) })}>
          <span className="text-ink-3">Tag</span>
          {tag}
          <X className="text-ink-3" />
        </Button>
      ))}
      <Button
        look="bare"
        size="sm"
        aria-pressed={filters.hideSubflows}
        onClick={() => change({ hideSubflows: !filters.hideSubflows })}
        className="aria-pressed:bg-press aria-pressed:text-ink"
      >
        Without subflows
      </Button>
      {isNarrowed(filters) && (
        <Button look="bare" size="sm" onClick={clear}>
          Clear all
        </Button>
      )}
    </search>
  );
}

/** What is typed filters the list after a moment, not with every letter. */
export function NameField({
  name,
  change,
  label = "Find by name",
}: {
  name: string;
  change: (name: string) => void;
  label?: string;
}) {
  const [typed, setTyped] = useState(name);
  const [settled, setSettled] = useState(name);
  if (name !== settled) {
    setSettled(name);
    setTyped(name);
  }
  useEffect(() => {
    if (typed === settled) return;
    const timer = setTimeout(() => change(typed), 250);
    return () => clearTimeout(timer);
  }, [typed, settled, change]);
  return (
    <div className="relative w-full sm:w-56">
      <Search className="-translate-y-1/2 pointer-events-none absolute top-1/2 left-2.5 size-3.5 text-ink-3" />
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className="pr-8 pl-8 [&::-webkit-search-cancel-button]:hidden"
      />
      {typed && (
        <IconButton label="Clear" size="sm" onClick={() => setTyped("")} className="absolute top-0.5 right-0.5">
          <X />
        </IconButton>
      )}
    </div>
  );
}

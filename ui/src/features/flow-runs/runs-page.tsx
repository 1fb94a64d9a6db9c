import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { flowRunCount, flowRunPage } from "@/api/flow-runs";
import { PAGE } from "@/api/queries";
import type { FlowRun, FlowRunSort } from "@/api/types";
import { Button } from "@/components/button";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Heading, Page, Panel } from "@/components/page";
import { PagedList } from "@/components/paged-list";
import { useIsFrom } from "@/components/screen";
import { SkeletonRows } from "@/components/skeleton";
import { plural } from "@/format/quantity";
import { useRunColumns } from "./run-columns";
import { RunFilters } from "./run-filters";
import { type RunFilters as Filters, filtersOf, isNarrowed, searchOf, selectionOf } from "./run-search";

const route = getRouteApi("/runs");

export function RunsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filters = useMemo(() => filtersOf(search), [search]);
  const selection = selectionOf(filters, Date.now());
  const { data: count, error, refetch } = useQuery(flowRunCount(selection));
  const [rows, setRows] = useState<FlowRun[]>([]);
  const columns = useRunColumns(rows, { sorted: true });
  const isFrom = useIsFrom();

  // Each choice is a step that can be taken back; each letter of a name is not.
  const change = useCallback(
    (part: Partial<Filters>) =>
      navigate({
        search: (held) => searchOf({ ...filtersOf(held), ...part }),
        replace: "name" in part && !("states" in part),
      }),
    [navigate],
  );
  const clear = () =>
    change({ states: [], flows: [], deployments: [], pools: [], tags: [], name: "", hideSubflows: false });

  return (
    <Page name="Runs">
      <Heading title="Runs" below={count !== undefined && <span>{plural(count, "flow run")}</span>} />
      <RunFilters filters={filters} change={change} clear={clear} />
      <Panel>
        {error && count === undefined ? (
          <Failure error={error} retry={refetch} />
        ) : count === undefined ? (
          <SkeletonRows count={12} />
        ) : count === 0 ? (
          <NoRuns
            narrowed={isNarrowed(filters)}
            filters={filters}
            clear={clear}
            widen={() => change({ since: "all" })}
          />
        ) : (
          <PagedList
            label="Flow runs"
            columns={columns}
            count={count}
            pageSize={PAGE}
            page={(index) => flowRunPage(selection, filters.sort, index * PAGE, PAGE)}
            keyOf={(run) => run.id}
            rowHeight={isFrom("sm") ? 37 : 53}
            sort={filters.sort}
            onSort={(sort) => change({ sort: sort as FlowRunSort })}
            onRows={setRows}
          />
        )}
      </Panel>
    </Page>
  );
}

interface NoRunsProps {
  narrowed: boolean;
  filters: Filters;
  clear: () => void;
  widen: () => void;
}

function NoRuns({ narrowed, filters, clear, widen }: NoRunsProps) {
  if (narrowed) {
    return <Empty title="No run passes these filters" action={<Button onClick={clear}>Clear the filters</Button>} />;
  }
  if (filters.since === "next") {
    return <Empty title="Nothing is scheduled">Give a deployment a schedule, and its coming runs stand here.</Empty>;
  }
  if (filters.since !== "all") {
    return <Empty title="Nothing has run in this time" action={<Button onClick={widen}>Show all until now</Button>} />;
  }
  return <Empty title="Nothing has run yet">Run a script with a flow in it; its run appears here as it happens.</Empty>;
}

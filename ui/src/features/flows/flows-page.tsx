import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { flowCount, flowPage } from "@/api/flows";
import { PAGE } from "@/api/queries";
import type { Flow } from "@/api/types";
import { CommandLine } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { type Column, ROW_LINK } from "@/components/list";
import { Heading, Page, Panel, Tags } from "@/components/page";
import { PagedList } from "@/components/paged-list";
import { SkeletonRows } from "@/components/skeleton";
import { RelativeTime } from "@/components/time";
import { NameField } from "@/features/flow-runs/run-filters";
import { plural } from "@/format/quantity";
import { LastRuns, useLastRuns } from "./last-runs";

const route = getRouteApi("/flows");

export function FlowsPage() {
  const { name } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = useMemo(() => (name ? { name: { like_: name } } : {}), [name]);
  const { data: count, error, refetch } = useQuery(flowCount(filter));
  const [rows, setRows] = useState<Flow[]>([]);
  const last = useLastRuns(rows.map((flow) => flow.id));
  const rename = useCallback(
    (text: string) => navigate({ search: { name: text || undefined }, replace: true }),
    [navigate],
  );
  const columns = useMemo<Column<Flow>[]>(
    () => [
      {
        name: "Flow",
        width: "minmax(0,1.4fr)",
        cell: (flow) => (
          <Link to="/flows/$id" params={{ id: flow.id }} className={`${ROW_LINK} cut block`}>
            {flow.name}
          </Link>
        ),
      },
      { name: "Last runs", width: "10rem", cell: (flow) => <LastRuns runs={last.get(flow.id)} /> },
      {
        name: "Last run",
        width: "7rem",
        align: "right",
        from: "sm",
        cell: (flow) => (
          <RelativeTime at={last.get(flow.id)?.[0]?.start_time ?? null} className="relative text-ink-2" />
        ),
      },
      { name: "Tags", width: "minmax(0,1fr)", from: "md", cell: (flow) => <Tags tags={flow.tags} /> },
      {
        name: "Known since",
        width: "7rem",
        align: "right",
        from: "lg",
        cell: (flow) => <RelativeTime at={flow.created} className="relative text-ink-2" />,
      },
    ],
    [last],
  );
  return (
    <Page name="Flows">
      <Heading title="Flows" below={count !== undefined && <span>{plural(count, "flow")}</span>} />
      <NameField name={name ?? ""} change={rename} />
      <Panel>
        {error && count === undefined ? (
          <Failure error={error} retry={refetch} />
        ) : count === undefined ? (
          <SkeletonRows />
        ) : count === 0 ? (
          name ? (
            <Empty title="No flow of that name" />
          ) : (
            <Empty title="No flow yet" action={<CommandLine>python my_script.py</CommandLine>}>
              A flow is a function with <code className="font-mono text-xs">@flow</code> on it. It is known from its
              first run on, or from the moment it is deployed.
            </Empty>
          )
        ) : (
          <PagedList
            label="Flows"
            columns={columns}
            count={count}
            pageSize={PAGE}
            page={(index) => flowPage(filter, "NAME_ASC", index * PAGE, PAGE)}
            keyOf={(flow) => flow.id}
            rowHeight={41}
            onRows={setRows}
          />
        )}
      </Panel>
    </Page>
  );
}

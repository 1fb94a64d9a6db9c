import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { latestArtifacts } from "@/api/artifacts";
import { useFlowRunNames } from "@/api/flow-runs";
import type { ArtifactCollection } from "@/api/types";
import { Empty } from "@/components/empty";
import { Facet } from "@/components/facet";
import { Failure } from "@/components/failure";
import { type Column, List, ROW_LINK } from "@/components/list";
import { Heading, Page, Panel } from "@/components/page";
import { SkeletonRows } from "@/components/skeleton";
import { RelativeTime } from "@/components/time";
import { NameField } from "@/features/flow-runs/run-filters";
import { joinList, splitList } from "@/search/address";
import { gistOf } from "./artifact-data";
import { TYPE_OPTIONS, TypeIcon, wordOfType } from "./artifact-type";

const route = getRouteApi("/artifacts");
const MOST = 200;

export function ArtifactsPage() {
  const { name, type } = route.useSearch();
  const navigate = route.useNavigate();
  const types = splitList(type);
  const filter = { ...(name ? { key: { like_: name } } : {}), ...(types.length ? { type: { any_: types } } : {}) };
  const { data, error, refetch } = useQuery(latestArtifacts(filter, "UPDATED_DESC", 0, MOST));
  const runs = useFlowRunNames(data?.map((artifact) => artifact.flow_run_id) ?? []);
  const rename = useCallback(
    (text: string) => navigate({ search: (held) => ({ ...held, name: text || undefined }), replace: true }),
    [navigate],
  );
  const columns = useMemo<Column<ArtifactCollection>[]>(
    () => [
      {
        name: "Key",
        width: "minmax(0,1.3fr)",
        cell: (artifact) => (
          <div className="flex min-w-0 items-center gap-2.5">
            <TypeIcon type={artifact.type} />
            <Link to="/artifacts/key/$key" params={{ key: artifact.key }} className={`${ROW_LINK} cut`}>
              {artifact.key}
            </Link>
          </div>
        ),
      },
      {
        name: "Type",
        width: "6rem",
        from: "md",
        cell: (artifact) => <span className="text-ink-2">{wordOfType(artifact.type)}</span>,
      },
      {
        name: "Latest",
        width: "minmax(0,2fr)",
        from: "sm",
        cell: (artifact) => <span className="cut block text-ink-2">{artifact.description || gistOf(artifact)}</span>,
      },
      {
        name: "Run",
        width: "minmax(0,1fr)",
        from: "lg",
        cell: (artifact) =>
          artifact.flow_run_id && (
            <Link to="/runs/$id" params={{ id: artifact.flow_run_id }} className="link cut relative block text-ink-2">
              {runs.get(artifact.flow_run_id)}
            </Link>
          ),
      },
      {
        name: "Updated",
        width: "7rem",
        align: "right",
        cell: (artifact) => <RelativeTime at={artifact.updated} className="relative text-ink-2" />,
      },
    ],
    [runs],
  );
  return (
    <Page name="Artifacts">
      <Heading title="Artifacts" />
      <search className="flex flex-wrap items-center gap-2">
        <NameField label="Find by key" name={name ?? ""} change={rename} />
        <Facet
          label="Type"
          options={TYPE_OPTIONS}
          chosen={types}
          change={(list) => navigate({ search: (held) => ({ ...held, type: joinList(list) }), replace: true })}
        />
      </search>
      <Panel>
        {error && !data ? (
          <Failure error={error} retry={refetch} />
        ) : !data ? (
          <SkeletonRows />
        ) : data.length === 0 ? (
          name || types.length ? (
            <Empty title="No artifact passes these filters" />
          ) : (
            <Empty title="No artifact with a key yet">
              Give an artifact a <code className="font-mono text-xs">key</code>, and its versions are kept together
              here; without one, it stands on its run's page.
            </Empty>
          )
        ) : (
          <List label="Artifacts" columns={columns} rows={data} keyOf={(artifact) => artifact.id} />
        )}
      </Panel>
    </Page>
  );
}

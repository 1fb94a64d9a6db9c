import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { deploymentCount, deploymentPage } from "@/api/deployments";
import type { Selection } from "@/api/types";
import { workPoolPage } from "@/api/work-pools";
import { Button } from "@/components/button";
import { CommandLine } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Facet } from "@/components/facet";
import { Failure } from "@/components/failure";
import { Heading, Page, Panel } from "@/components/page";
import { SkeletonRows } from "@/components/skeleton";
import { NameField } from "@/features/flow-runs/run-filters";
import { plural } from "@/format/quantity";
import { joinList, splitList } from "@/search/address";
import { DeploymentList } from "./deployment-list";

const route = getRouteApi("/deployments");
const MOST = 200;

export function DeploymentsPage() {
  const { name, pool, tag } = route.useSearch();
  const navigate = route.useNavigate();
  const pools = splitList(pool);
  const tags = splitList(tag);
  const selection = useMemo<Selection>(() => {
    const deployments = {
      ...(name ? { flow_or_deployment_name: { like_: name } } : {}),
      ...(tag ? { tags: { all_: splitList(tag) } } : {}),
    };
    return {
      ...(name || tag ? { deployments } : {}),
      ...(pool ? { work_pools: { name: { any_: splitList(pool) } } } : {}),
    };
  }, [name, pool, tag]);
  const { data: count } = useQuery(deploymentCount(selection));
  const { data, error, refetch } = useQuery(deploymentPage(selection, "NAME_ASC", 0, MOST));
  const { data: known } = useQuery(workPoolPage(0, 200));
  const rename = useCallback(
    (text: string) => navigate({ search: (held) => ({ ...held, name: text || undefined }), replace: true }),
    [navigate],
  );
  const narrowed = Boolean(name || pool || tag);
  return (
    <Page name="Deployments">
      <Heading title="Deployments" below={count !== undefined && <span>{plural(count, "deployment")}</span>} />
      <search className="flex flex-wrap items-center gap-2">
        <NameField label="Find by flow or name" name={name ?? ""} change={rename} />
        {known && known.length > 0 && (
          <Facet
            label="Work pool"
            options={known.map((one) => ({ value: one.name, label: one.name }))}
            chosen={pools}
            change={(list) => navigate({ search: (held) => ({ ...held, pool: joinList(list) }), replace: true })}
          />
        )}
        {tags.map((one) => (
          <Button
            key={one}
            size="sm"
            onClick={() =>
              navigate({
                search: (held) => ({ ...held, tag: joinList(tags.filter((other) => other !== one)) }),
                replace: true,
              })
            }
          >
            <span className="text-ink-3">Tag</span> {one}
          </Button>
        ))}
      </search>
      <Panel>
        {error && !data ? (
          <Failure error={error} retry={refetch} />
        ) : !data ? (
          <SkeletonRows />
        ) : data.length === 0 ? (
          narrowed ? (
            <Empty
              title="No deployment passes these filters"
              action={<Button onClick={() => navigate({ search: {}, replace: true })}>Clear the filters</Button>}
            />
          ) : (
            <Empty
              title="No deployment yet"
              action={<CommandLine>headrace deploy my_script.py:my_flow -n nightly -p my-pool</CommandLine>}
            >
              A deployment gives a flow a schedule, a place to run and a form for its parameters, so that it runs
              without you.
            </Empty>
          )
        ) : (
          <DeploymentList deployments={data} />
        )}
        {count !== undefined && count > MOST && (
          <p className="border-line border-t px-4 py-2 text-ink-3 text-xs">
            The first {MOST} by name; find others by name.
          </p>
        )}
      </Panel>
    </Page>
  );
}

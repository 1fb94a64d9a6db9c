import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { artifactDetail } from "@/api/artifacts";
import { Failure } from "@/components/failure";
import { Heading, Page, Panel } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { ArtifactBody } from "./artifact-body";
import { ArtifactFacts, ArtifactMenu } from "./artifact-parts";
import { TypeIcon, wordOfType } from "./artifact-type";

const route = getRouteApi("/artifacts/$id");

/** One artifact by its id: the only way to one without a key. */
export function ArtifactPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(artifactDetail(id));
  const name = data ? (data.key ?? wordOfType(data.type)) : "Artifact";
  return (
    <Page name={name}>
      <Heading
        above={
          <Link to="/artifacts" className="link">
            Artifacts
          </Link>
        }
        title={
          <span className="inline-flex items-center gap-2">
            <TypeIcon type={data?.type ?? null} className="size-5" />
            {name}
          </span>
        }
        below={
          data?.key && (
            <Link to="/artifacts/key/$key" params={{ key: data.key }} className="link">
              All versions
            </Link>
          )
        }
        actions={data && <ArtifactMenu artifact={data} after={() => undefined} />}
      />
      <Panel>
        {error && !data ? (
          <Failure error={error} retry={refetch} />
        ) : data ? (
          <>
            {data.description && <p className="px-4 py-3 text-ink-2">{data.description}</p>}
            <ArtifactBody artifact={data} />
            <ArtifactFacts artifact={data} />
          </>
        ) : (
          <div className="p-5">
            <Skeleton className="w-1/2" />
          </div>
        )}
      </Panel>
    </Page>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { artifactPage } from "@/api/artifacts";
import type { Artifact, ArtifactFilter } from "@/api/types";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Panel } from "@/components/page";
import { SkeletonRows } from "@/components/skeleton";
import { RelativeTime } from "@/components/time";
import { ArtifactBody } from "./artifact-body";
import { TypeIcon, wordOfType } from "./artifact-type";

const MOST = 50;

/** What a run left to look at, opened. */
export function ArtifactCards({ filter }: { filter: ArtifactFilter }) {
  const { data, error, refetch } = useQuery(artifactPage(filter, "CREATED_DESC", 0, MOST));
  if (error && !data) return <Failure error={error} retry={refetch} />;
  if (!data) {
    return (
      <Panel>
        <SkeletonRows count={3} />
      </Panel>
    );
  }
  if (data.length === 0) {
    return (
      <Panel>
        <Empty title="No artifact">
          Call <code className="font-mono text-xs">create_markdown_artifact</code> in a flow or task to leave a report
          here.
        </Empty>
      </Panel>
    );
  }
  return (
    <div className="flex flex-col gap-4">
      {data.map((artifact) => (
        <Panel
          key={artifact.id}
          title={<ArtifactTitle artifact={artifact} />}
          actions={<RelativeTime at={artifact.created} className="pr-2 text-ink-3 text-xs" />}
        >
          {artifact.description && <p className="px-4 py-3 text-ink-2">{artifact.description}</p>}
          <ArtifactBody artifact={artifact} />
        </Panel>
      ))}
    </div>
  );
}

function ArtifactTitle({ artifact }: { artifact: Artifact }) {
  const inside = (
    <>
      <TypeIcon type={artifact.type} />
      <span className="cut">{artifact.key ?? wordOfType(artifact.type)}</span>
    </>
  );
  const look = "link flex items-center gap-2";
  return artifact.key ? (
    <Link to="/artifacts/key/$key" params={{ key: artifact.key }} search={{ version: artifact.id }} className={look}>
      {inside}
    </Link>
  ) : (
    <Link to="/artifacts/$id" params={{ id: artifact.id }} className={look}>
      {inside}
    </Link>
  );
}

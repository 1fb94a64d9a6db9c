import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { artifactPage } from "@/api/artifacts";
import type { Artifact } from "@/api/types";
import { cx } from "@/components/cx";
import { Failure } from "@/components/failure";
import { Heading, Page, Panel } from "@/components/page";
import { Skeleton, SkeletonRows } from "@/components/skeleton";
import { RelativeTime } from "@/components/time";
import { Lost } from "@/features/shell/lost";
import { plural } from "@/format/quantity";
import { ArtifactBody } from "./artifact-body";
import { gistOf } from "./artifact-data";
import { ArtifactFacts, ArtifactMenu } from "./artifact-parts";
import { TypeIcon, wordOfType } from "./artifact-type";

const route = getRouteApi("/artifacts/key/$key");
const MOST = 100;

/** An artifact through time: every version of a key, the newest first. */
export function ArtifactKeyPage() {
  const { key } = route.useParams();
  const { version } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(artifactPage({ key: { any_: [key] } }, "CREATED_DESC", 0, MOST));
  if (data?.length === 0) return <Lost />;
  const shown = data?.find((artifact) => artifact.id === version) ?? data?.[0];
  return (
    <Page name={key}>
      <Heading
        above={
          <Link to="/artifacts" className="link">
            Artifacts
          </Link>
        }
        title={key}
        below={
          data && (
            <>
              <span className="inline-flex items-center gap-1.5">
                <TypeIcon type={shown?.type ?? null} />
                {wordOfType(shown?.type ?? null)}
              </span>
              <span>{plural(data.length, "version")}</span>
            </>
          )
        }
        actions={shown && <ArtifactMenu artifact={shown} after={() => navigate({ search: {}, replace: true })} />}
      />
      {error && !data ? (
        <Failure error={error} retry={refetch} />
      ) : (
        <div className="grid items-start gap-5 md:grid-cols-[15rem_minmax(0,1fr)]">
          {data ? <Versions versions={data} shown={shown?.id} /> : <SkeletonRows count={3} />}
          <Panel className="max-md:order-first">
            {shown ? (
              <>
                {shown.description && <p className="px-4 py-3 text-ink-2">{shown.description}</p>}
                <ArtifactBody artifact={shown} />
                <ArtifactFacts artifact={shown} />
              </>
            ) : (
              <div className="p-5">
                <Skeleton className="w-1/2" />
              </div>
            )}
          </Panel>
        </div>
      )}
    </Page>
  );
}

function Versions({ versions, shown }: { versions: Artifact[]; shown: string | undefined }) {
  return (
    <nav aria-label="Versions">
      <ol className="relative flex flex-col gap-0.5 before:absolute before:inset-y-4 before:left-[11px] before:w-px before:bg-line-strong">
        {versions.map((version, index) => (
          <li key={version.id} className="relative">
            <Link
              to="."
              search={{ version: index === 0 ? undefined : version.id }}
              replace
              aria-current={version.id === shown ? "true" : undefined}
              className={cx(
                "flex gap-3 rounded-md py-1.5 pr-2 pl-[7px] hover:bg-hover",
                version.id === shown && "bg-press",
              )}
            >
              <span
                aria-hidden="true"
                className={cx(
                  "z-10 mt-1.5 size-[9px] shrink-0 rounded-full border-2 bg-bed",
                  version.id === shown ? "border-ink bg-ink" : "border-line-strong",
                )}
              />
              <span className="min-w-0">
                <span className="block font-medium">
                  <RelativeTime at={version.created} />
                  {index === 0 && <span className="ml-2 font-normal text-ink-3 text-xs">latest</span>}
                </span>
                <span className="cut block text-ink-3 text-xs">{gistOf(version)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { flowRunPage } from "@/api/flow-runs";
import type { Selection } from "@/api/types";
import { buttonClass } from "@/components/button";
import { CommandLine } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Heading, Page, Panel } from "@/components/page";
import { Segments } from "@/components/tabs";
import { PoolLines } from "./pool-lines";
import { RunLines } from "./run-lines";
import { TrendPanel } from "./trend-panel";

const route = getRouteApi("/");

const EVERYTHING: Selection = {};
const TROUBLE: Selection = { flow_runs: { state: { type: { any_: ["FAILED", "CRASHED"] } } } };
const MOVING: Selection = {
  flow_runs: { state: { type: { any_: ["RUNNING", "PENDING", "PAUSED", "CANCELLING", "COMPLETED"] } } },
};
const COMING: Selection = { flow_runs: { state: { type: { any_: ["SCHEDULED"] } } } };

const SPANS = [
  { name: "24h", label: "24 hours" },
  { name: "7d", label: "7 days" },
  { name: "30d", label: "30 days" },
] as const;

const all = buttonClass("bare", "sm");

export function Dashboard() {
  const { since = "24h" } = route.useSearch();
  const navigate = route.useNavigate();
  // One run is enough to know: counting all of them would take longer the more there are.
  const { data: newest } = useQuery(flowRunPage(EVERYTHING, "ID_DESC", 0, 1));
  return (
    <Page name="Overview">
      <Heading
        title="Overview"
        actions={
          <Segments
            label="Time shown"
            options={[...SPANS]}
            chosen={since}
            choose={(next) => navigate({ search: { since: next === "24h" ? undefined : next }, replace: true })}
          />
        }
      />
      {newest?.length === 0 ? (
        <FirstSteps />
      ) : (
        <>
          <TrendPanel span={since} />
          <div className="grid gap-5 lg:grid-cols-3">
            <RunLines
              title="Failed or crashed"
              selection={TROUBLE}
              sort="END_TIME_DESC"
              say="message"
              count={5}
              time={(run) => run.end_time ?? run.start_time}
              none="Nothing has failed."
              more={
                <Link to="/runs" search={{ state: "failed,crashed" }} className={all}>
                  All
                </Link>
              }
            />
            <RunLines
              title="Activity"
              selection={MOVING}
              sort="START_TIME_DESC"
              time={(run) => run.start_time}
              none="Nothing has run yet."
              more={
                <Link to="/runs" className={all}>
                  All
                </Link>
              }
            />
            <RunLines
              title="Next"
              selection={COMING}
              sort="EXPECTED_START_TIME_ASC"
              time={(run) => run.expected_start_time}
              none="Nothing is scheduled. A deployment with a schedule brings runs here."
              more={
                <Link to="/runs" search={{ since: "next" }} className={all}>
                  All
                </Link>
              }
            />
          </div>
          <PoolLines />
        </>
      )}
    </Page>
  );
}

const SCRIPT = `from headrace import flow, task

@task(retries=3)
def fetch(n: int) -> int:
    return n * n

@flow(log_prints=True)
def first():
    print(sum(fetch(n) for n in range(5)))

first()`;

/** What a newcomer sees: the shortest way to the first run. */
function FirstSteps() {
  return (
    <Panel>
      <Empty
        title="Nothing has flowed yet"
        action={
          <div className="flex w-full max-w-lg flex-col gap-2 text-left">
            <pre className="scroll-x rounded-md border border-line bg-bed p-3.5 font-mono text-xs leading-5">
              {SCRIPT}
            </pre>
            <CommandLine>python first.py</CommandLine>
          </div>
        }
      >
        Put <code className="font-mono text-xs">@flow</code> on a function and run the script. Its run appears here as
        it happens: nothing else has to be started or configured.
      </Empty>
    </Panel>
  );
}

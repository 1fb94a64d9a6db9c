import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { readRunSearch } from "@/features/flow-runs/run-search";
import { Broken, Lost } from "@/features/shell/lost";
import { Shell } from "@/features/shell/shell";
import { oneOf, parseSearch, stringifySearch } from "@/search/address";

const root = createRootRoute({ component: Shell, notFoundComponent: Lost, errorComponent: Broken });

/** A text in the address, or nothing. */
const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);

export const TRENDS = ["24h", "7d", "30d"] as const;
export const RUN_TABS = ["logs", "tasks", "artifacts", "parameters", "states", "details"] as const;
export const RUN_VIEWS = ["rows", "lanes", "graph"] as const;
export const TASK_TABS = ["logs", "inputs", "artifacts", "states", "details"] as const;

const dashboard = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search: Record<string, unknown>): { since?: (typeof TRENDS)[number] } => ({
    since: oneOf(TRENDS, search.since),
  }),
  component: lazyRouteComponent(() => import("@/features/dashboard/dashboard"), "Dashboard"),
});

const flowRuns = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import("@/features/flow-runs/runs-page"), "RunsPage"),
});

export interface RunPageSearch {
  tab?: (typeof RUN_TABS)[number];
  view?: (typeof RUN_VIEWS)[number];
  /** The task run, or subflow run, that is looked at. */
  task?: string;
  level?: string;
  find?: string;
}

const flowRun = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: (search: Record<string, unknown>): RunPageSearch => ({
    tab: oneOf(RUN_TABS, search.tab),
    view: oneOf(RUN_VIEWS, search.view),
    task: text(search.task),
    level: text(search.level),
    find: text(search.find),
  }),
  component: lazyRouteComponent(() => import("@/features/flow-runs/run-page"), "RunPage"),
});

export interface TaskPageSearch {
  tab?: (typeof TASK_TABS)[number];
  level?: string;
  find?: string;
}

const taskRun = createRoute({
  getParentRoute: () => root,
  path: "/task-runs/$id",
  validateSearch: (search: Record<string, unknown>): TaskPageSearch => ({
    tab: oneOf(TASK_TABS, search.tab),
    level: text(search.level),
    find: text(search.find),
  }),
  component: lazyRouteComponent(() => import("@/features/task-runs/task-run-page"), "TaskRunPage"),
});

const named = (search: Record<string, unknown>): { name?: string } => ({ name: text(search.name) });

const flows = createRoute({
  getParentRoute: () => root,
  path: "/flows",
  validateSearch: named,
  component: lazyRouteComponent(() => import("@/features/flows/flows-page"), "FlowsPage"),
});

const flow = createRoute({
  getParentRoute: () => root,
  path: "/flows/$id",
  component: lazyRouteComponent(() => import("@/features/flows/flow-page"), "FlowPage"),
});

export interface DeploymentsSearch {
  name?: string;
  pool?: string;
  tag?: string;
}

const deployments = createRoute({
  getParentRoute: () => root,
  path: "/deployments",
  validateSearch: (search: Record<string, unknown>): DeploymentsSearch => ({
    name: text(search.name),
    pool: text(search.pool),
    tag: text(search.tag),
  }),
  component: lazyRouteComponent(() => import("@/features/deployments/deployments-page"), "DeploymentsPage"),
});

export const DEPLOYMENT_TABS = ["runs", "upcoming", "parameters", "details"] as const;

const deployment = createRoute({
  getParentRoute: () => root,
  path: "/deployments/$id",
  validateSearch: (search: Record<string, unknown>): { tab?: (typeof DEPLOYMENT_TABS)[number] } => ({
    tab: oneOf(DEPLOYMENT_TABS, search.tab),
  }),
  component: lazyRouteComponent(() => import("@/features/deployments/deployment-page"), "DeploymentPage"),
});

const customRun = createRoute({
  getParentRoute: () => root,
  path: "/deployments/$id/run",
  // The run whose parameters the form begins with.
  validateSearch: (search: Record<string, unknown>): { like?: string } => ({ like: text(search.like) }),
  component: lazyRouteComponent(() => import("@/features/deployments/custom-run-page"), "CustomRunPage"),
});

const workPools = createRoute({
  getParentRoute: () => root,
  path: "/work-pools",
  component: lazyRouteComponent(() => import("@/features/work-pools/work-pools-page"), "WorkPoolsPage"),
});

const workPool = createRoute({
  getParentRoute: () => root,
  path: "/work-pools/$name",
  component: lazyRouteComponent(() => import("@/features/work-pools/work-pool-page"), "WorkPoolPage"),
});

const artifacts = createRoute({
  getParentRoute: () => root,
  path: "/artifacts",
  validateSearch: (search: Record<string, unknown>): { name?: string; type?: string } => ({
    name: text(search.name),
    type: text(search.type),
  }),
  component: lazyRouteComponent(() => import("@/features/artifacts/artifacts-page"), "ArtifactsPage"),
});

const artifactKey = createRoute({
  getParentRoute: () => root,
  path: "/artifacts/key/$key",
  validateSearch: (search: Record<string, unknown>): { version?: string } => ({ version: text(search.version) }),
  component: lazyRouteComponent(() => import("@/features/artifacts/artifact-key-page"), "ArtifactKeyPage"),
});

const artifact = createRoute({
  getParentRoute: () => root,
  path: "/artifacts/$id",
  component: lazyRouteComponent(() => import("@/features/artifacts/artifact-page"), "ArtifactPage"),
});

const tree = root.addChildren([
  dashboard,
  flowRuns,
  flowRun,
  taskRun,
  flows,
  flow,
  deployments,
  deployment,
  customRun,
  workPools,
  workPool,
  artifacts,
  artifactKey,
  artifact,
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  defaultPendingMs: 300,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

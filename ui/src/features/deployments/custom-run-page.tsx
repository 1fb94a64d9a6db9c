import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { deploymentDetail, useCreateRun } from "@/api/deployments";
import { ApiError, type FieldError, isLost } from "@/api/fetch";
import { flowRunDetail } from "@/api/flow-runs";
import { flowDetail } from "@/api/flows";
import type { Deployment, DeploymentFlowRunCreate, FlowRun } from "@/api/types";
import { Button, buttonClass } from "@/components/button";
import { Failure } from "@/components/failure";
import { Field, Input } from "@/components/field";
import { Heading, Page, Panel } from "@/components/page";
import { Skeleton } from "@/components/skeleton";
import { Segments } from "@/components/tabs";
import { say } from "@/components/toast";
import { completed, initialOf, missingOf, prepare, type Schema } from "@/features/parameters/schema";
import { Lost } from "@/features/shell/lost";

const ParameterForm = lazy(() => import("@/features/parameters/parameter-form"));
const route = getRouteApi("/deployments/$id/run");

export function CustomRunPage() {
  const { id } = route.useParams();
  const { like } = route.useSearch();
  const { data: deployment, error, refetch } = useQuery(deploymentDetail(id));
  const { data: model, isLoading } = useQuery({
    ...flowRunDetail(like ?? ""),
    enabled: like !== undefined,
    retry: false,
  });
  if (isLost(error)) return <Lost />;
  if (deployment && !isLoading) return <CustomRun deployment={deployment} model={model} />;
  return (
    <Page name="New run">{error ? <Failure error={error} retry={refetch} /> : <Skeleton className="h-7 w-64" />}</Page>
  );
}

const sayProblem = ({ path, message }: FieldError) => `${path.slice(1).join(".")}: ${message}`.replace(/^: /, "");

const NO_SCHEMA: Schema = { type: "object", properties: {} };

function CustomRun({ deployment, model }: { deployment: Deployment; model: FlowRun | undefined }) {
  const navigate = useNavigate();
  const { data: flow } = useQuery(flowDetail(deployment.flow_id));
  const schema = (deployment.parameter_openapi_schema as Schema | null) ?? NO_SCHEMA;
  const [values, setValues] = useState(() => initialOf(schema, deployment.parameters, model?.parameters));
  const [name, setName] = useState("");
  const [tags, setTags] = useState(deployment.tags.join(", "));
  const [when, setWhen] = useState<"now" | "later">("now");
  const [at, setAt] = useState("");
  const [broken, setBroken] = useState(false);
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [said, setSaid] = useState<string | null>(null);
  const create = useCreateRun();
  const empty = Object.keys(schema.properties ?? {}).length === 0;

  const start = () => {
    const missing = missingOf(schema, values);
    setErrors(missing.map((parameter) => ({ path: [parameter], message: "has to be given" })));
    setSaid(missing.length ? `${missing.join(", ")}: ${missing.length > 1 ? "have" : "has"} to be given` : null);
    if (missing.length) return;
    if (when === "later" && !at) return setSaid("Say when the run is to begin.");
    const run = {
      state: {
        type: "SCHEDULED",
        ...(when === "later" ? { state_details: { scheduled_time: new Date(at).toISOString() } } : {}),
      },
      parameters: completed(values, prepare(schema).nullable),
      tags: tags
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
      ...(name.trim() ? { name: name.trim() } : {}),
    } as DeploymentFlowRunCreate;
    create.mutate(
      { id: deployment.id, run },
      {
        onSuccess: (made) => {
          say(when === "now" ? `${made.name} will begin at once.` : `${made.name} is scheduled.`);
          void navigate({ to: "/runs/$id", params: { id: made.id } });
        },
        onError: (error) => {
          const fields = (error instanceof ApiError ? error.details : []).filter(
            ({ path }) => path[0] === "parameters",
          );
          setErrors(fields);
          setSaid(fields.length ? fields.map(sayProblem).join("; ") : error.message);
        },
      },
    );
  };

  return (
    <Page name={`New run of ${deployment.name}`} className="max-w-3xl!">
      <Heading
        above={
          <>
            <Link to="/flows/$id" params={{ id: deployment.flow_id }} className="link">
              {flow?.name ?? "…"}
            </Link>
            <span>/</span>
            <Link to="/deployments/$id" params={{ id: deployment.id }} className="link">
              {deployment.name}
            </Link>
          </>
        }
        title="New run"
        below={model && <span>with the parameters of {model.name}</span>}
      />
      <form
        className="flex flex-col gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <Panel title="Parameters" className="overflow-visible!">
          <div className="p-4">
            {empty ? (
              <p className="text-ink-2">This flow takes no parameters.</p>
            ) : (
              <Suspense fallback={<Skeleton className="w-1/2" />}>
                <ParameterForm schema={schema} values={values} change={setValues} broken={setBroken} errors={errors} />
              </Suspense>
            )}
          </div>
        </Panel>
        <Panel title="The run" className="overflow-visible!">
          <div className="grid gap-4 p-4 sm:grid-cols-2">
            <Field label="Name" optional>
              {(ids) => (
                <Input
                  {...ids}
                  value={name}
                  placeholder="chosen for you"
                  onChange={(event) => setName(event.target.value)}
                />
              )}
            </Field>
            <Field label="Tags" optional hint="Separated by commas">
              {(ids) => <Input {...ids} value={tags} onChange={(event) => setTags(event.target.value)} />}
            </Field>
            <div className="flex flex-col gap-1.5">
              <span className="font-medium">Begins</span>
              <Segments
                label="When the run begins"
                chosen={when}
                choose={setWhen}
                options={[
                  { name: "now", label: "Now" },
                  { name: "later", label: "Later" },
                ]}
              />
            </div>
            {when === "later" && (
              <Field label="At" hint="In this browser's time zone">
                {(ids) => (
                  <Input {...ids} type="datetime-local" value={at} onChange={(event) => setAt(event.target.value)} />
                )}
              </Field>
            )}
          </div>
        </Panel>
        {said && (
          <p role="alert" className="rounded-lg border border-failed/40 bg-failed/8 px-4 py-2.5 text-failed-ink">
            {said}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Link to="/deployments/$id" params={{ id: deployment.id }} className={buttonClass()}>
            Back
          </Link>
          <Button type="submit" look="ink" icon={<Play />} busy={create.isPending} disabled={broken}>
            {when === "now" ? "Run" : "Schedule"}
          </Button>
        </div>
      </form>
    </Page>
  );
}

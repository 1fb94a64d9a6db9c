import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { useCreateRun } from "@/api/deployments";
import type { Deployment } from "@/api/types";
import { say } from "@/components/toast";

/** Parameters that must be given and have no value yet: without them no run can begin. */
export function missingParameters(deployment: Deployment): string[] {
  const schema = deployment.parameter_openapi_schema as {
    required?: string[];
    properties?: Record<string, { default?: unknown }>;
  } | null;
  return (schema?.required ?? []).filter(
    (name) => deployment.parameters?.[name] === undefined && schema?.properties?.[name]?.default === undefined,
  );
}

/** Starts a run with the deployment's own parameters; where some are missing, asks for them first. */
export function useQuickRun(): (deployment: Deployment) => void {
  const navigate = useNavigate();
  const { mutate } = useCreateRun();
  return useCallback(
    (deployment) => {
      const missing = missingParameters(deployment);
      if (missing.length) {
        say(`${deployment.name} needs ${missing.join(", ")}.`);
        void navigate({ to: "/deployments/$id/run", params: { id: deployment.id } });
        return;
      }
      mutate(
        { id: deployment.id, run: { state: { type: "SCHEDULED" } } as Parameters<typeof mutate>[0]["run"] },
        {
          onSuccess: (run) =>
            say(`${run.name} will begin at once.`, {
              action: { label: "Open", run: () => void navigate({ to: "/runs/$id", params: { id: run.id } }) },
            }),
          onError: (error) => say(error.message, { failed: true }),
        },
      );
    },
    [mutate, navigate],
  );
}

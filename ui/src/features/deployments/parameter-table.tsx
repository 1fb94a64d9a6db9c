import { useMemo } from "react";
import type { Deployment } from "@/api/types";
import { Empty } from "@/components/empty";
import { type Column, List } from "@/components/list";
import { Panel } from "@/components/page";
import { type Schema, typeOf } from "@/features/parameters/schema";

interface Parameter {
  name: string;
  schema: Schema;
  required: boolean;
  value: unknown;
  /** The deployment sets another value than the flow's default. */
  set: boolean;
}

/** What the flow takes, and what this deployment gives it. */
export function ParameterTable({ deployment }: { deployment: Deployment }) {
  const parameters = useMemo(() => parametersOf(deployment), [deployment]);
  const root = (deployment.parameter_openapi_schema ?? {}) as Schema;
  const columns = useMemo<Column<Parameter>[]>(
    () => [
      {
        name: "Parameter",
        width: "minmax(0,1fr)",
        cell: (one) => (
          <div className="min-w-0">
            <code className="break-words font-medium font-mono text-xs">{one.name}</code>
            {one.required && <span className="ml-2 text-failed-ink text-xs">required</span>}
          </div>
        ),
      },
      {
        name: "Type",
        width: "minmax(0,0.7fr)",
        from: "sm",
        cell: (one) => <span className="text-ink-2">{typeOf(one.schema, root)}</span>,
      },
      {
        name: "Value",
        width: "minmax(0,1.4fr)",
        cell: (one) => (
          <span className="flex min-w-0 items-baseline gap-2">
            <code className="cut font-mono text-xs">{one.value === undefined ? "–" : JSON.stringify(one.value)}</code>
            {one.set && <span className="shrink-0 text-ink-3 text-xs">set here</span>}
          </span>
        ),
      },
      {
        name: "Meaning",
        width: "minmax(0,1.4fr)",
        from: "lg",
        cell: (one) => <span className="cut block text-ink-2">{one.schema.description ?? ""}</span>,
      },
    ],
    [root],
  );
  return (
    <Panel>
      {parameters.length === 0 ? (
        <Empty title="This flow takes no parameters" />
      ) : (
        <List label="Parameters" columns={columns} rows={parameters} keyOf={(one) => one.name} />
      )}
    </Panel>
  );
}

function parametersOf(deployment: Deployment): Parameter[] {
  const schema = (deployment.parameter_openapi_schema ?? {}) as Schema;
  return Object.entries(schema.properties ?? {})
    .sort(([, a], [, b]) => (a.position ?? 0) - (b.position ?? 0))
    .map(([name, property]) => {
      const set = deployment.parameters?.[name] !== undefined;
      return {
        name,
        schema: property,
        required: schema.required?.includes(name) ?? false,
        value: set ? deployment.parameters?.[name] : property.default,
        set,
      };
    });
}

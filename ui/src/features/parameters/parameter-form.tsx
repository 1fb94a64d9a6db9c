import Form from "@rjsf/core/lib/components/Form.js";
import type { ErrorSchema, RJSFSchema } from "@rjsf/utils";
import { useMemo, useState } from "react";
import type { FieldError } from "@/api/fetch";
import { TextArea } from "@/components/field";
import { Segments } from "@/components/tabs";
import { prepare, type Schema } from "./schema";
import { templates } from "./templates";
import { validator } from "./validator";
import { JsonField, widgets } from "./widgets";

interface ParameterFormProps {
  schema: Schema;
  values: Record<string, unknown>;
  change: (values: Record<string, unknown>) => void;
  /** Told when what is typed as JSON is not JSON yet: then there is nothing to send. */
  broken: (is: boolean) => void;
  errors: FieldError[];
}

const fields = { json: JsonField };

/** A form made from the schema of a flow's parameters, for people who don't write code; and the same as JSON for those who do. */
export default function ParameterForm({ schema, values, change, broken, errors }: ParameterFormProps) {
  const [view, setView] = useState<"form" | "json">("form");
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const prepared = useMemo(() => prepare(schema), [schema]);
  const extra = useMemo(() => errorTree(errors), [errors]);

  const choose = (next: "form" | "json") => {
    if (next === "json") setText(JSON.stringify(values, null, 2));
    setWrong(false);
    broken(false);
    setView(next);
  };
  return (
    <div className="flex flex-col gap-4">
      <Segments
        label="How to edit"
        chosen={view}
        choose={choose}
        options={[
          { name: "form", label: "Form" },
          { name: "json", label: "JSON" },
        ]}
      />
      {view === "form" ? (
        <Form
          schema={prepared.schema as RJSFSchema}
          uiSchema={prepared.ui}
          formData={values}
          validator={validator}
          widgets={widgets}
          fields={fields}
          templates={templates}
          extraErrors={extra}
          noHtml5Validate
          noValidate
          tagName="div"
          idPrefix="parameter"
          onChange={({ formData }) => change(formData ?? {})}
        >
          {/* The page has the buttons. */}
          <span />
        </Form>
      ) : (
        <div className="flex flex-col gap-1">
          <TextArea
            aria-label="Parameters as JSON"
            aria-invalid={wrong || undefined}
            rows={Math.min(24, Math.max(8, text.split("\n").length + 1))}
            className="font-mono text-xs leading-5"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              const parsed = parse(event.target.value);
              setWrong(parsed === null);
              broken(parsed === null);
              if (parsed) change(parsed);
            }}
          />
          {wrong && <p className="text-failed-ink text-xs">This is not a JSON object yet.</p>}
        </div>
      )}
    </div>
  );
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** The server's errors at the fields they are about. */
function errorTree(errors: FieldError[]): ErrorSchema {
  const tree: Record<string, unknown> = {};
  for (const { path, message } of errors) {
    let at = tree;
    for (const part of path.filter((step) => step !== "parameters")) {
      const inner = (at[part] ?? {}) as Record<string, unknown>;
      at[part] = inner;
      at = inner;
    }
    at.__errors = [...((at.__errors as string[] | undefined) ?? []), message];
  }
  return tree as ErrorSchema;
}

import type { FieldProps, RegistryWidgetsType, WidgetProps } from "@rjsf/utils";
import { useState } from "react";
import { Check, Input, TextArea } from "@/components/field";
import { Select } from "@/components/select";

const EMPTY_OPTION = "\u0000";

function TextWidget({ id, value, onChange, schema, placeholder, disabled, readonly, type }: WidgetProps) {
  const numeric = schema.type === "integer" || schema.type === "number";
  const long = !numeric && typeof value === "string" && (value.includes("\n") || value.length > 90);
  const change = (text: string) => onChange(text === "" ? undefined : numeric ? numberOf(text) : text);
  if (long)
    return (
      <TextArea
        id={id}
        value={value}
        rows={4}
        disabled={disabled || readonly}
        onChange={(event) => change(event.target.value)}
      />
    );
  return (
    <Input
      id={id}
      type={type === "password" || schema.format === "password" ? "password" : "text"}
      inputMode={numeric ? "decimal" : undefined}
      value={value === undefined || value === null ? "" : String(value)}
      placeholder={placeholder || "empty"}
      disabled={disabled || readonly}
      onChange={(event) => change(event.target.value)}
    />
  );
}

/** A number while it is one; a text that is not yet a number stays, so that it can be typed. */
function numberOf(text: string): number | string {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : text;
}

function SelectWidget({ id, value, onChange, options, placeholder }: WidgetProps) {
  const choices = options.enumOptions ?? [];
  const at = choices.findIndex((choice) => choice.value === value);
  return (
    <Select
      id={id}
      placeholder={placeholder || "Choose"}
      value={at < 0 ? null : String(at)}
      options={choices.map((choice, index) => ({ value: String(index), label: choice.label || EMPTY_OPTION }))}
      change={(index) => onChange(choices[Number(index)]?.value)}
    />
  );
}

function CheckboxWidget({ id, value, onChange, label }: WidgetProps) {
  return (
    <Check id={id} label={<span className="font-medium">{label}</span>} checked={Boolean(value)} onChange={onChange} />
  );
}

function CheckboxesWidget({ id, value, onChange, options }: WidgetProps) {
  const held: unknown[] = Array.isArray(value) ? value : [];
  return (
    <fieldset id={id} className="flex flex-wrap gap-x-4 gap-y-1">
      {(options.enumOptions ?? []).map((choice) => (
        <Check
          key={choice.label}
          label={choice.label}
          checked={held.includes(choice.value)}
          onChange={(on) => onChange(on ? [...held, choice.value] : held.filter((one) => one !== choice.value))}
        />
      ))}
    </fieldset>
  );
}

/** Local time in the field, an instant with its zone in the data. */
function DateTimeWidget({ id, value, onChange }: WidgetProps) {
  return (
    <Input
      id={id}
      type="datetime-local"
      step={1}
      value={localOf(value)}
      onChange={(event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : undefined)}
    />
  );
}

function localOf(value: unknown): string {
  const at = typeof value === "string" ? new Date(value) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function DateWidget({ id, value, onChange }: WidgetProps) {
  return (
    <Input id={id} type="date" value={value ?? ""} onChange={(event) => onChange(event.target.value || undefined)} />
  );
}

export const widgets: RegistryWidgetsType = {
  TextWidget,
  PasswordWidget: TextWidget,
  EmailWidget: TextWidget,
  URLWidget: TextWidget,
  UpDownWidget: TextWidget,
  TextareaWidget: TextWidget,
  SelectWidget,
  RadioWidget: SelectWidget,
  CheckboxWidget,
  CheckboxesWidget,
  DateTimeWidget,
  DateWidget,
};

/** A value without a shape of its own: any JSON. */
export function JsonField({ formData, onChange, fieldPathId, name, schema, required }: FieldProps) {
  const [text, setText] = useState(() => (formData === undefined ? "" : JSON.stringify(formData, null, 2)));
  const [wrong, setWrong] = useState(false);
  const id = fieldPathId.$id;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {schema.title ?? name}
        {!required && <span className="ml-1.5 font-normal text-ink-3 text-xs">optional</span>}
      </label>
      <TextArea
        id={id}
        rows={Math.min(10, Math.max(3, text.split("\n").length))}
        value={text}
        placeholder="JSON"
        aria-invalid={wrong || undefined}
        className="font-mono text-xs"
        onChange={(event) => {
          setText(event.target.value);
          try {
            onChange(event.target.value.trim() ? JSON.parse(event.target.value) : undefined, fieldPathId.path);
            setWrong(false);
          } catch {
            setWrong(true);
          }
        }}
      />
      <p className="text-xs">
        {wrong ? (
          <span className="text-failed-ink">This is not JSON yet.</span>
        ) : (
          <span className="text-ink-3">{schema.description ?? "JSON"}</span>
        )}
      </p>
    </div>
  );
}

import type {
  ArrayFieldItemTemplateProps,
  ArrayFieldTemplateProps,
  FieldTemplateProps,
  MultiSchemaFieldTemplateProps,
  ObjectFieldTemplateProps,
  TemplatesType,
} from "@rjsf/utils";
import { ArrowDown, ArrowUp, Plus, X } from "lucide-react";
import { Button, IconButton } from "@/components/button";
import { cx } from "@/components/cx";

function FieldTemplate({
  id,
  label,
  children,
  rawErrors,
  rawDescription,
  required,
  hidden,
  displayLabel,
  schema,
  fieldPathId,
}: FieldTemplateProps) {
  if (hidden) return <div className="hidden">{children}</div>;
  const nested = schema.type === "object" || schema.type === "array";
  // An item of a list needs no name: it stands under that of the list.
  const item = typeof fieldPathId.path[fieldPathId.path.length - 1] === "number";
  const named = displayLabel && !item && !nested && schema.type !== "boolean";
  return (
    <div className="flex min-w-0 flex-col gap-1">
      {named && (
        <label htmlFor={id} className="font-medium">
          {label}
          {!required && <span className="ml-1.5 font-normal text-ink-3 text-xs">optional</span>}
        </label>
      )}
      {children}
      {rawDescription && !nested && displayLabel && <p className="text-ink-3 text-xs">{rawDescription}</p>}
      {rawErrors?.map((error) => (
        <p key={error} role="alert" className="text-failed-ink text-xs">
          {error}
        </p>
      ))}
    </div>
  );
}

function ObjectFieldTemplate({ title, description, properties, fieldPathId }: ObjectFieldTemplateProps) {
  const root = fieldPathId.path.length === 0;
  const fields = properties
    .filter((property) => !property.hidden)
    .map((property) => <div key={property.name}>{property.content}</div>);
  if (root) return <div className="flex flex-col gap-4">{fields}</div>;
  return (
    <fieldset className="rounded-md border border-line px-4 pt-2 pb-4">
      {title && <legend className="px-1 font-medium">{title}</legend>}
      {description && <p className="mb-3 text-ink-3 text-xs">{description}</p>}
      <div className="flex flex-col gap-3">{fields}</div>
    </fieldset>
  );
}

function ArrayFieldTemplate({ title, items, canAdd, onAddClick, required, schema }: ArrayFieldTemplateProps) {
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1 font-medium">
        {title}
        {!required && <span className="ml-1.5 font-normal text-ink-3 text-xs">optional</span>}
      </legend>
      {schema.description && <p className="text-ink-3 text-xs">{schema.description}</p>}
      {items}
      {canAdd && (
        <Button size="sm" icon={<Plus />} onClick={onAddClick} className="self-start">
          Add
        </Button>
      )}
    </fieldset>
  );
}

function ArrayFieldItemTemplate({ children, buttonsProps }: ArrayFieldItemTemplateProps) {
  const { hasMoveUp, hasMoveDown, hasRemove, onMoveUpItem, onMoveDownItem, onRemoveItem } = buttonsProps;
  return (
    <div className="flex items-start gap-1">
      <div className="min-w-0 flex-1">{children}</div>
      {(hasMoveUp || hasMoveDown) && (
        <>
          <IconButton label="Move up" disabled={!hasMoveUp} onClick={onMoveUpItem}>
            <ArrowUp />
          </IconButton>
          <IconButton label="Move down" disabled={!hasMoveDown} onClick={onMoveDownItem}>
            <ArrowDown />
          </IconButton>
        </>
      )}
      {hasRemove && (
        <IconButton label="Remove" onClick={onRemoveItem}>
          <X />
        </IconButton>
      )}
    </div>
  );
}

/** Several shapes are possible: the choice stands above the fields of the one chosen. */
function MultiSchemaFieldTemplate({ selector, optionSchemaField }: MultiSchemaFieldTemplateProps) {
  return (
    <div className={cx("flex flex-col gap-2")}>
      {selector}
      {optionSchemaField}
    </div>
  );
}

const Nothing = () => null;

export const templates: Partial<Omit<TemplatesType, "ButtonTemplates">> = {
  FieldTemplate,
  ObjectFieldTemplate,
  ArrayFieldTemplate,
  ArrayFieldItemTemplate,
  MultiSchemaFieldTemplate,
  ErrorListTemplate: Nothing,
  FieldErrorTemplate: Nothing,
};

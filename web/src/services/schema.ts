import type { Fault } from "../api/client";
import { valueAt } from "../forms/draft";
import { capital } from "../words";

/** A part of a JSON schema, as far as forms are made from it. */
export interface Schema {
  type?: string | readonly string[];
  $ref?: string;
  $defs?: Record<string, Schema>;
  allOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  enum?: readonly unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  title?: string;
  description?: string;
  default?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

/** How a value is filled in; what none of the others can draw is written as JSON. */
export type Drawing =
  | { as: "text" | "long" | "secret" | "duration" | "map" | "json" }
  | { as: "number"; isWhole: boolean; min: number | undefined; max: number | undefined }
  | { as: "choice"; options: readonly string[] }
  | { as: "flag" }
  | { as: "list"; numbers: "never" | "sometimes" | "always" }
  | { as: "set"; options: readonly string[] }
  | { as: "whole"; fields: readonly Drawn[] };

/** A field of a configuration. */
export interface Drawn {
  name: string;
  label: string;
  hint: string;
  isRequired: boolean;
  /** Whether it may be left out as a whole, which is not the same as all of it being empty. */
  isNullable: boolean;
  /** What counts where nothing is filled in. */
  fallback: unknown;
  maxLength: number | undefined;
  drawing: Drawing;
}

const DEPTH_MAX = 4;
const LONG_CHARS = 5000;
const SPELLED: Record<string, string> = { url: "URL", sftp: "SFTP", csv: "CSV", id: "Id", env: "Environment" };

/** Lists the fields of a configuration; none where its schema names none. */
export function drawn(schema: Schema | null): readonly Drawn[] {
  return schema === null ? [] : fieldsOf(schema, schema, 0);
}

/** Lists the fields of a configuration that are needed and not filled in. */
export function missing(fields: readonly Drawn[], values: unknown, above: string): readonly Fault[] {
  return fields.flatMap(({ name, label, isRequired, drawing }) => {
    const path = `${above}.${name}`;
    const value = valueAt(values, name);
    if (value === undefined) return isRequired ? [{ path, detail: `${label} is needed.` }] : [];
    return drawing.as === "whole" ? missing(drawing.fields, value, path) : [];
  });
}

function fieldsOf(root: Schema, of: Schema, depth: number): readonly Drawn[] {
  return Object.entries(of.properties ?? {}).map(([name, given]) => {
    const { schema, isNullable } = plain(root, given);
    const description = (given.description ?? schema.description ?? "").replaceAll("`", "");
    return {
      name,
      label: labelOf(name, given.title),
      hint: description && `${capital(description)}${/[.!?)]$/.test(description) ? "" : "."}`,
      isRequired: of.required?.includes(name) ?? false,
      isNullable,
      fallback: given.default ?? null,
      maxLength: schema.maxLength,
      drawing:
        isSecret(name, description) && schema.type === "string" ? { as: "secret" } : drawing(root, schema, depth),
    };
  });
}

function drawing(root: Schema, schema: Schema, depth: number): Drawing {
  const options = texts(schema.enum ?? (schema.const === undefined ? undefined : [schema.const]));
  if (options) return { as: "choice", options };
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return isScalar(root, variants) ? { as: "text" } : { as: "json" };
  switch (schema.type) {
    case "string":
      if (schema.format === "duration") return { as: "duration" };
      return { as: (schema.maxLength ?? 0) > LONG_CHARS ? "long" : "text" };
    case "integer":
    case "number":
      return { as: "number", isWhole: schema.type === "integer", min: schema.minimum, max: schema.maximum };
    case "boolean":
      return { as: "flag" };
    case "array":
      return listed(root, plain(root, schema.items ?? {}).schema);
    case "object":
      return inside(root, schema, depth);
    default:
      return { as: "json" };
  }
}

function listed(root: Schema, items: Schema): Drawing {
  const options = texts(items.enum);
  if (options) return { as: "set", options };
  if (items.type === "string") return { as: "list", numbers: "never" };
  if (items.type === "integer" || items.type === "number") return { as: "list", numbers: "always" };
  return items.anyOf && isScalar(root, items.anyOf) ? { as: "list", numbers: "sometimes" } : { as: "json" };
}

function inside(root: Schema, schema: Schema, depth: number): Drawing {
  if (schema.properties && depth < DEPTH_MAX) return { as: "whole", fields: fieldsOf(root, schema, depth + 1) };
  const values = schema.additionalProperties;
  const isOfTexts = typeof values === "object" && !values.enum && plain(root, values).schema.type === "string";
  return isOfTexts && !plain(root, values).isNullable ? { as: "map" } : { as: "json" };
}

/** Follows references and takes away the `null` that only says that it may be left out. */
function plain(root: Schema, given: Schema): { schema: Schema; isNullable: boolean } {
  let schema = given;
  for (let step = 0; step < DEPTH_MAX; step++) {
    const name = (schema.$ref ?? schema.allOf?.[0]?.$ref)?.replace(/^#\/\$defs\//, "");
    const target = name === undefined ? undefined : root.$defs?.[name];
    if (!target) break;
    schema = { ...target, ...(schema.description ? { description: schema.description } : {}) };
  }
  const variants = schema.anyOf ?? schema.oneOf ?? [];
  const others = variants.filter((one) => one.type !== "null");
  if (others.length === variants.length) return { schema, isNullable: false };
  const [only, ...more] = others;
  if (!only || more.length > 0) return { schema: { ...schema, anyOf: others }, isNullable: true };
  return { schema: plain(root, only).schema, isNullable: true };
}

function isScalar(root: Schema, variants: readonly Schema[]): boolean {
  const kinds = variants.map((one) => plain(root, one).schema);
  return kinds.every(({ type, enum: options }) => ["string", "integer", "number"].includes(String(type)) && !options);
}

function texts(options: readonly unknown[] | undefined): readonly string[] | undefined {
  return options?.every((one) => typeof one === "string") ? (options as readonly string[]) : undefined;
}

function isSecret(name: string, description: string): boolean {
  return /(^|_)(secret|password|token|private_key)$/.test(name) || /as secret:\/\//.test(description);
}

/** Names a field as a person would; a title that only repeats the name in capitals is not what the author chose. */
function labelOf(name: string, title: string | undefined): string {
  const words = name.replaceAll("_", " ");
  if (title && title.toLowerCase() !== words.toLowerCase()) return title;
  return SPELLED[name] ?? capital(words);
}

/**
 * Schemas through the Standard Schema interfaces (standardschema.dev), so that an agent may use zod, valibot, arktype, …
 * The interfaces are copied, as their specification recommends, to keep the core free of packages.
 */

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** Standard Schema v1 with Standard JSON Schema v1. zod 4.2 and newer implement both. */
export interface Schema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: "draft-2020-12" | "draft-07" }) => Record<string, unknown>;
      readonly output: (options: { readonly target: "draft-2020-12" | "draft-07" }) => Record<string, unknown>;
    };
  };
}

/** What a caller may write, before defaults are applied. */
export type InputOf<S> = S extends Schema<infer I, unknown> ? I : never;
/** What the schema yields after validation. */
export type OutputOf<S> = S extends Schema<infer _I, infer O> ? O : never;

export type JsonSchema = Readonly<Record<string, unknown>>;

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly string[] };

/** Validates and tells each issue as `path: message`. */
export async function validate<O>(schema: Schema<unknown, O>, value: unknown): Promise<Validated<O>> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  return { ok: false, issues: result.issues.map(issueText) };
}

function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((p) => String(typeof p === "object" ? p.key : p)).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

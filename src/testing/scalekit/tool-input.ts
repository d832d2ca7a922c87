/** Checks tool input against the tool's schema, leniently: only what is missing or of a hopeless type is refused. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Ajv, type ValidateFunction } from "ajv";
import type { ToolDefinition } from "../connectors/connector.ts";
import { scalekitError } from "./errors.ts";

const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: "array", validateFormats: false });
const compiled = new WeakMap<ToolDefinition, ValidateFunction>();

/**
 * The input without optional empty texts and nulls (which mean "not given") and with numbers for numerals.
 * @throws InvalidArgument with one violation per parameter
 */
export function checkInput(tool: ToolDefinition, input: JsonObject): JsonObject {
  const validate = compiled.get(tool) ?? ajv.compile(tool.inputSchema);
  compiled.set(tool, validate);
  const required = new Set(Array.isArray(tool.inputSchema["required"]) ? tool.inputSchema["required"] : []);
  const given = Object.fromEntries(
    Object.entries(structuredClone(input)).filter(
      ([name, value]) => (value !== "" && value !== null) || required.has(name),
    ),
  );
  if (validate(given)) return given satisfies Record<string, JsonValue>;
  const violations = (validate.errors ?? []).map(({ instancePath, keyword, message, params }) => ({
    field: instancePath.slice(1) || String(params["missingProperty"] ?? ""),
    constraint: keyword,
    description: message ?? "invalid",
  }));
  const words = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  throw scalekitError(
    "InvalidArgument",
    "INVALID_REQUEST",
    `invalid tool input for ${tool.name}: ${words}`,
    violations,
  );
}

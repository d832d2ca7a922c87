/** Field limits that the real API declares (buf.validate): the SDK's descriptors carry only their stubs. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { scalekitError, type Violation } from "./errors.ts";

interface Rule {
  readonly field: string;
  readonly constraint: string;
  readonly description: string;
  ok(value: unknown, message: Message): boolean;
}

const RULES: readonly Rule[] = [
  ruleOf("connector", "string.max_len", "at most 400 characters", text(400)),
  ruleOf(
    "connector",
    "string.pattern",
    "must match ^[a-zA-Z0-9_: -]*$",
    (v) => typeof v !== "string" || /^[a-zA-Z0-9_: -]*$/.test(v),
  ),
  {
    ...ruleOf("identifier", "string.max_len", "at most 100 characters (200 in verify)", () => true),
    ok: (value, message) => text(message.$typeName.includes("VerifyConnectedAccountUser") ? 200 : 100)(value),
  },
  ruleOf("id", "string.prefix", "at most 32 characters, begins with ca_", accountId),
  ruleOf("connectedAccountId", "string.prefix", "at most 32 characters, begins with ca_", accountId),
  ruleOf("state", "string.max_len", "at most 512 characters", text(512)),
  ruleOf("userVerifyUrl", "string.max_len", "at most 2048 characters", text(2048)),
  ruleOf(
    "userVerifyUrl",
    "string.pattern",
    "must match ^https?://",
    (v) => v === "" || typeof v !== "string" || /^https?:\/\//.test(v),
  ),
  ruleOf("authRequestId", "string.max_len", "at most 1000 characters", text(1000)),
  ruleOf("agentRunId", "string.max_len", "at most 255 characters", text(255)),
  ruleOf("pageToken", "string.max_len", "at most 100 characters", text(100)),
  ruleOf("pageSize", "uint32.lte", "between 0 and 100", (v) => typeof v !== "number" || (v >= 0 && v <= 100)),
  ruleOf("connectionNames", "repeated.max_items", "at most 20 items", (v) => !Array.isArray(v) || v.length <= 20),
];

/** @throws InvalidArgument with one violation per broken rule */
export function checkLimits(message: Message, schema: DescMessage): void {
  const broken: Violation[] = [];
  for (const rule of RULES) {
    const { field, constraint, description } = rule;
    const declared = schema.field[field];
    if (declared === undefined) continue;
    const value: unknown = Reflect.get(message, field);
    if (value !== undefined && !rule.ok(value, message)) broken.push({ field: declared.name, constraint, description });
  }
  if (broken.length === 0) return;
  const words = broken.map((violation) => `${violation.field}: ${violation.description}`).join("; ");
  throw scalekitError("InvalidArgument", "INVALID_REQUEST", `invalid request: ${words}`, broken);
}

function ruleOf(field: string, constraint: string, description: string, ok: (value: unknown) => boolean): Rule {
  return { field, constraint, description, ok };
}

function text(max: number): (value: unknown) => boolean {
  return (value) => typeof value !== "string" || Array.from(value).length <= max;
}

function accountId(value: unknown): boolean {
  return typeof value !== "string" || value === "" || (value.length <= 32 && value.startsWith("ca_"));
}

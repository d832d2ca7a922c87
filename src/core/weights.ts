/** Weights: how many turns a tenant or an identifier has in each round, where a cap makes them take turns. One, unless an operator says more. */
import { ErrandError } from "./errors.ts";

export const MOST_WEIGHT = 100;

/** Whose: one of these. */
export type WeightTarget = { readonly tenant: string } | { readonly identifier: string };

export type WeightKind = "tenant" | "identifier";

export interface Weighed {
  readonly kind: WeightKind;
  readonly name: string;
}

/** As identifiers and tenants are (core/identifier.ts). */
const NAME = /^[\x21-\x7e]{1,100}$/;

/** @throws ErrandError `option-invalid` */
export function weighedOf(target: WeightTarget): Weighed {
  const given = typeof target === "object" && target !== null ? Object.entries(target) : [];
  const [kind, name] = given[0] ?? [];
  if (given.length !== 1 || (kind !== "tenant" && kind !== "identifier"))
    throw new ErrandError(
      "option-invalid",
      `weigh: expected { tenant: "…" } or { identifier: "…" }, got ${JSON.stringify(target) ?? typeof target}. Agents have caps (perIdentifier), no weights.`,
    );
  if (typeof name !== "string" || !NAME.test(name))
    throw new ErrandError(
      "option-invalid",
      `weigh: ${kind}: expected a name of 1 to 100 printable ASCII characters without spaces, got ${JSON.stringify(name) ?? typeof name}.`,
    );
  return { kind, name };
}

/** @throws ErrandError `option-invalid`, which says what to do instead */
export function checkWeight({ kind, name }: Weighed, weight: unknown): number {
  if (typeof weight === "number" && Number.isInteger(weight) && weight >= 1 && weight <= MOST_WEIGHT) return weight;
  const got = typeof weight === "number" ? String(weight) : (JSON.stringify(weight) ?? typeof weight);
  const cap = kind === "tenant" ? "perTenant" : "perIdentifier";
  const instead =
    typeof weight === "number" && weight < 1
      ? `One turn in each round is the least: to stop it, pause it (errand pause ${kind} ${name}); to give it less, lower its cap (${cap}) or give the others more.`
      : `It is how many turns it has in each round, while others have 1.`;
  throw new ErrandError(
    "option-invalid",
    `weigh: ${kind} ${name}: expected a whole number from 1 to ${MOST_WEIGHT}, got ${got}. ${instead}`,
  );
}

/** As it stands in the store: `tenant:acme`. */
export function weightName({ kind, name }: Weighed): string {
  return `${kind}:${name}`;
}

export function parseWeightName(text: string): Weighed | undefined {
  const [, kind, name = ""] = /^(tenant|identifier):(.+)$/.exec(text) ?? [];
  return kind === "tenant" || kind === "identifier" ? { kind, name } : undefined;
}

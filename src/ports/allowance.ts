import type { CallRate } from "../core/call-rates.ts";
import type { ModelName, Usage } from "../core/messages.ts";
import type { CoolReason, DayBudget, ProfileBounds } from "./asking.ts";

/** A model profile that nobody can use until the operator has done something. Told once, by whoever found out. */
export interface ModelAlarm {
  readonly code: "model-billing" | "model-credentials";
  readonly profile: string;
  /** What the provider said. */
  readonly message: string;
}

/** Limits that are no run's own, and prices. Contract: never throws; what must be loaded is loaded when it is first asked for. */
export interface Allowance {
  profile(name: string): ProfileBounds & { readonly maxOutputTokens?: number };
  /** Of the day of `now` (Redis ms). */
  budgets(whose: { readonly identifier: string; readonly tenant?: string }, now: number): readonly DayBudget[];
  /** Of one identifier's calls in any minute; nothing when there is no limit. */
  calls(connection: string, source: string | undefined): CallRate | undefined;
  /** US dollars; nothing when nobody knows. */
  price(asked: ModelName, usage: Usage): Promise<number | undefined>;
  /** Money is limited, and nobody knows what this model costs. */
  unpriced(asked: ModelName): void;
  alarm(alarm: ModelAlarm): void;
}

export const ALARM_CODE: Readonly<Record<Exclude<CoolReason, "rate-limit">, ModelAlarm["code"]>> = {
  billing: "model-billing",
  credentials: "model-credentials",
};

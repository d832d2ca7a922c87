/** What an identifier and a tenant may enqueue, and how somebody is told that it is no more. */
import { ErrandError } from "../core/errors.ts";

/** Of one identifier or tenant. `day`: where the runs of this day are counted. */
export interface EnqueueBound {
  readonly whose: string;
  readonly day: string;
  /** ms since 1970. */
  readonly endsAt: number;
  readonly runs?: number;
  readonly parked?: number;
}

/** What an identifier and a tenant may enqueue on the day of `now` (ms). */
export type EnqueueBounds = (
  whose: { readonly identifier: string; readonly tenant?: string | undefined },
  now: number,
) => readonly EnqueueBound[];

/** What `create` is told, with what bounds it. */
export function withBounds(
  args: readonly (string | number)[],
  bounds: EnqueueBounds | undefined,
  whose: { readonly identifier: string; readonly tenant?: string | undefined },
  now: number,
): readonly (string | number)[] {
  const bound = bounds?.(whose, now) ?? [];
  return bound.length > 0 ? [...args, JSON.stringify(bound)] : args;
}

/** Which of the two it is over, whose, and how many there are already. */
export interface OverBound {
  readonly is: "runs" | "parked";
  /** `identifier:<name>`, `tenant:<name>`. */
  readonly whose: string;
  readonly used: number;
}

/** @param where what was asked for. @returns `budget-exceeded`, with the numbers in words and in its details */
export function overBound(where: string, { is, whose, used }: OverBound, bounds: readonly EnqueueBound[]): ErrandError {
  const bound = bounds.find((it) => it.whose === whose);
  const [most, until] = [bound?.[is], bound?.endsAt];
  const [scope = "", name = ""] = /^(\w+):(.*)$/s.exec(whose)?.slice(1) ?? [];
  const limit = `budgets.${scope}.${is}`;
  const message =
    is === "runs"
      ? `${scope} ${name} has enqueued ${used} runs today, and ${limit} allows ${most}. Enqueue it again from ${until === undefined ? "tomorrow" : new Date(until).toISOString()} on, when its day has ended, or raise ${limit}.`
      : `${scope} ${name} has ${used} parked runs, and ${limit} allows ${most}. Connect its accounts, cancel some (errand parked), coalesce, or raise ${limit}.`;
  const details = { limit: is, whose, used, most, ...(is === "runs" && { until }) };
  return new ErrandError("budget-exceeded", `${where}: ${message}`, { details });
}

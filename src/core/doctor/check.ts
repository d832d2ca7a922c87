/** One finding of `errand doctor`. What was gathered over the wire comes in as facts; what follows from them is decided here. Pure. */

export type CheckResult = "ok" | "warning" | "failed" | "skipped";

export interface Check {
  readonly area: "set-up" | "redis" | "scalekit" | "tools" | "models" | "live";
  readonly name: string;
  readonly result: CheckResult;
  /** What was found. */
  readonly found: string;
  /** What to do, in one sentence. Absent when there is nothing to do. */
  readonly todo?: string;
}

/** A question to a service: its answer, and how long it took in ms; or why there is none. */
export type Asked<T> =
  | { readonly ok: true; readonly value: T; readonly tookMs: number }
  | { readonly ok: false; readonly why: "unavailable" | "credentials"; readonly message: string };

/** The checks of one area, by their results. */
export interface Checker {
  readonly ok: (name: string, found: string) => Check;
  readonly warning: (name: string, found: string, todo: string) => Check;
  readonly failed: (name: string, found: string, todo: string) => Check;
  readonly skipped: (name: string, found: string, todo: string) => Check;
}

export function checker(area: Check["area"]): Checker {
  const make =
    (result: CheckResult) =>
    (name: string, found: string, todo?: string): Check => ({
      area,
      name,
      result,
      found,
      ...(todo !== undefined && { todo }),
    });
  return { ok: make("ok"), warning: make("warning"), failed: make("failed"), skipped: make("skipped") };
}

/** Compares versions by their numbers: `7.0.15` is at least `7.0`. What is not a version is not. */
export function isAtLeast(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => /^v?(\d+(?:\.\d+)*)/.exec(text)?.[1]?.split(".").map(Number));
  if (a === undefined || b === undefined) return false;
  const differs = b.findIndex((part, i) => (a[i] ?? 0) !== part);
  return differs < 0 || (a[differs] ?? 0) > (b[differs] ?? 0);
}

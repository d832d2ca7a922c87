/**
 * The tables of @pydantic/genai-prices: 2 MB, loaded when they are first needed. Kept here, because an `import()` goes through the loader
 * each time: with tsx that took more CPU than all checkpoints of a turn (`npm run bench:floor -- --profile=…`).
 */
import type * as tables from "@pydantic/genai-prices";

type Tables = typeof tables;

let loading: Promise<Tables> | undefined;

export function priceTables(): Promise<Tables> {
  return (loading ??= import("@pydantic/genai-prices"));
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterMs } from "../../src/core/retry-after.ts";

const NOW = Date.UTC(1994, 10, 6, 8, 49, 0);
const DAY = 86_400_000;

const rows: readonly (readonly [Readonly<Record<string, string>>, number | undefined])[] = [
  [{}, undefined],
  [{ "retry-after": "1" }, 1_000],
  [{ "retry-after": " 2 " }, 2_000],
  [{ "retry-after": "0.5" }, 500],
  [{ "retry-after": "300" }, 300_000],
  [{ "retry-after": "0" }, undefined],
  [{ "retry-after": "-5" }, undefined],
  [{ "retry-after": "1e3" }, undefined],
  [{ "retry-after": "Infinity" }, undefined],
  [{ "retry-after": "" }, undefined],
  [{ "retry-after": "soon" }, undefined],
  [{ "retry-after": "in 5 minutes" }, undefined],
  [{ "retry-after": "May 7" }, undefined],
  [{ "retry-after": "99999999999999" }, DAY],
  [{ "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }, 37_000],
  [{ "retry-after": "Sunday, 06-Nov-94 08:49:37 GMT" }, 37_000],
  [{ "retry-after": "Sun Nov  6 08:49:37 1994" }, 37_000],
  [{ "retry-after": "1994-11-06T08:49:37Z" }, 37_000],
  [{ "retry-after": "1994-11-06T09:49:37+01:00" }, 37_000],
  [{ "retry-after": "Sun, 06 Nov 1994 08:48:00 GMT" }, undefined],
  [{ "retry-after": "Sun, 99 Nov 1994 08:48:00 GMT" }, undefined],
  [{ "retry-after": "Sun, 06 Nov 2094 08:48:00 GMT" }, DAY],
  [{ "retry-after-ms": "250" }, 250],
  [{ "retry-after-ms": "250.4" }, 251],
  [{ "retry-after-ms": "x", "retry-after": "3" }, 3_000],
  [{ "retry-after-ms": "250", "retry-after": "3" }, 250],
];

test("each form, against a fixed now", () => {
  for (const [headers, expected] of rows)
    assert.equal(retryAfterMs(new Headers(headers), NOW), expected, JSON.stringify(headers));
  assert.equal(retryAfterMs(undefined, NOW), undefined);
});

/** A call of a local tool, and the source of some. */
import assert from "node:assert/strict";
import type { ToolSend, ToolSource } from "../../../src/ports/toolbox.ts";
import { createChecker } from "../../../src/tools/check.ts";
import { openLocal } from "../../../src/tools/local/source.ts";
import type { LocalTool } from "../../../src/tools/local/variant.ts";

export const CALL: ToolSend = { run: "r", call: "t0c0", tool: "x", args: {}, connection: "", identifier: "user_1" };

export function sourceOf(...tools: LocalTool[]): ToolSource {
  const [source] = openLocal(tools, createChecker());
  assert.ok(source !== undefined, "a source");
  return source;
}

/**
 * What other runners do with the odd answers of docs/models.md. Their packages are none of ours, so this runs elsewhere:
 * in a folder with `npm install ai @ai-sdk/openai-compatible @openai/agents openai zod`, copy it there, then
 * `node --import $R/node_modules/tsx/dist/esm/index.mjs peers.mjs $R`, with this repository's path as R. Prints a line of JSON for each.
 */
import OpenAI from "openai";
import { generateText, tool as aiTool, isStepCount } from "ai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Agent, run, tool as agTool, setTracingDisabled, OpenAIChatCompletionsModel } from "@openai/agents";
import { z } from "zod";

const {
  startScriptedModel,
  say,
  call,
  calls,
  errorBody,
  noChoices,
  html,
  empty,
  refusal,
  finish,
  httpError,
  manyCalls,
  brokenArguments,
} = await import(`${process.argv[2]}/src/testing/model/index.ts`);
setTracingDisabled(true);
const done = say("Done.");
const CASES = [
  ["no choices at 200", [noChoices(), done]],
  ["error body at 200 (429)", [errorBody({ code: 429 }), done]],
  ["web page at 200", [html(), done]],
  ["empty answer", [empty(), done]],
  ["refusal", [refusal("I will not."), done]],
  ["content_filter", [finish("content_filter", say("Hel")), done]],
  ["cut inside a call's arguments", [finish("length", call("read", '{"id":"1')), done]],
  ["length, whole call", [finish("length", call("read", { id: "1" })), done]],
  ["finish stop with a call", [finish("stop", call("read", { id: "1" })), done]],
  ["unknown tool", [call("raed", { id: "1" }), done]],
  ["malformed arguments", [brokenArguments("read", '{"id'), done]],
  ["schema violation", [call("read", { id: 7 }), done]],
  ["same id twice", [calls([call("read", { id: "1" }, { id: "x" }), call("read", { id: "2" }, { id: "x" })]), done]],
  ["empty id", [call("read", { id: "1" }, { id: "" }), done]],
  ["200 calls in one answer", [manyCalls(200, "read", (i) => ({ id: String(i) })), done]],
  ["429 insufficient_quota", () => httpError(429, { code: "insufficient_quota", type: "insufficient_quota" })],
  ["never stops calling", () => call("read", { id: "1" })],
];
const short = (e) =>
  `${e?.name ?? e?.constructor?.name}: ${String(e?.message ?? e)
    .replace(/\s+/g, " ")
    .slice(0, 90)}`;
for (const [name, script] of CASES)
  for (const peer of ["openai runTools", "@openai/agents", "ai"]) {
    const server = await startScriptedModel({ script });
    let ran = 0;
    const exec = async () => {
      ran++;
      return "{}";
    };
    let out;
    try {
      const limit = new Promise((_, no) => setTimeout(() => no(new Error("still at it after 20 s")), 20000).unref());
      const work = (async () => {
        if (peer === "openai runTools") {
          const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.url });
          const r = client.chat.completions.runTools({
            model: "m",
            messages: [{ role: "user", content: "Go" }],
            tools: [
              {
                type: "function",
                function: {
                  name: "read",
                  parse: JSON.parse,
                  function: exec,
                  parameters: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
                  description: "r",
                },
              },
            ],
          });
          return `resolves: ${JSON.stringify(await r.finalContent())}`;
        }
        if (peer === "ai") {
          const provider = createOpenAICompatible({ name: "x", apiKey: server.apiKey, baseURL: server.url });
          const r = await generateText({
            model: provider("m"),
            prompt: "Go",
            tools: { read: aiTool({ description: "r", inputSchema: z.object({ id: z.string() }), execute: exec }) },
            stopWhen: isStepCount(10),
          });
          return `resolves: ${JSON.stringify(r.text)}, finish ${r.finishReason}`;
        }
        const client = new OpenAI({ apiKey: server.apiKey, baseURL: server.url });
        const agent = new Agent({
          name: "a",
          instructions: "x",
          model: new OpenAIChatCompletionsModel(client, "m"),
          tools: [agTool({ name: "read", description: "r", parameters: z.object({ id: z.string() }), execute: exec })],
        });
        const r = await run(agent, "Go");
        return `resolves: ${JSON.stringify(r.finalOutput)}`;
      })();
      out = await Promise.race([work, limit]);
    } catch (e) {
      out = `throws ${short(e)}`;
    }
    const bad = server.requests
      .filter((r) => r.problems.length > 0)
      .flatMap((r) => r.problems)
      .slice(0, 1)
      .map((p) => p.slice(0, 110));
    console.log(
      JSON.stringify({
        name,
        peer,
        out,
        ran,
        requests: server.requests.length,
        ...(bad.length && { refused: bad[0] }),
      }),
    );
    await server.close();
  }
process.exit(0);

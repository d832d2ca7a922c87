/** CPU of one turn through each adapter against the bare SDK call with the same body: what reading, writing and checking cost. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Anthropic } from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { Message, ModelRequest } from "../../src/core/messages.ts";
import { chatRequest } from "../../src/models/chat-request.ts";
import { messagesRequest } from "../../src/models/messages-request.ts";
import { modelOf } from "../../src/models/protocols.ts";
import { responsesRequest } from "../../src/models/responses-request.ts";

export interface AdapterCost {
  readonly protocol: "chat" | "responses" | "messages";
  /** ms of CPU for one call, medians of rounds. */
  readonly oursMs: number;
  readonly bareMs: number;
  readonly ratio: number;
}

const TURNS = 10;
const RESULT = JSON.stringify({
  messages: Array.from({ length: 20 }, (_, i) => ({
    id: `m${i}`,
    subject: `Subject number ${i}`,
    from: "ann@example.org",
  })),
});

/** Ten turns of a call and its result, about 20 kB. */
function request(): ModelRequest {
  const turns = Array.from({ length: TURNS }, (_, i): Message[] => [
    {
      role: "assistant",
      verbatim: {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "p", type: "function", function: { name: "read_mail", arguments: `{"id":"${i}"}` } }],
      },
      text: "",
      callIds: [`t${i}c0`],
    },
    { role: "tool", callId: `t${i}c0`, name: "read_mail", text: RESULT },
  ]);
  const parameters = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
  const tools = Array.from({ length: 10 }, (_, i) => ({
    name: i === 0 ? "read_mail" : `tool_${i}`,
    description: "Reads a mail.",
    parameters,
  }));
  return {
    profile: "p",
    model: "m",
    system: "You help.",
    messages: [{ role: "user", text: "Go" }, ...turns.flat()],
    tools,
    toolChoice: "auto",
  };
}

export async function adapterCosts(rounds: number, calls: number): Promise<AdapterCost[]> {
  const server = fork(fileURLToPath(new URL("server.ts", import.meta.url)));
  try {
    const port = await portOf(server);
    const costs: AdapterCost[] = [];
    for (const [protocol, ours, bare] of sides(`http://127.0.0.1:${port}`)) {
      await cpuOf(ours, 50);
      await cpuOf(bare, 50);
      const pairs: { ours: number; bare: number }[] = [];
      for (let round = 0; round < rounds; round++)
        pairs.push({ ours: await cpuOf(ours, calls), bare: await cpuOf(bare, calls) });
      const oursMs = median(pairs.map((pair) => pair.ours));
      const bareMs = median(pairs.map((pair) => pair.bare));
      costs.push({ protocol, oursMs, bareMs, ratio: Math.round((oursMs / bareMs) * 100) / 100 });
    }
    return costs;
  } finally {
    server.kill();
  }
}

type Call = () => Promise<unknown>;

function sides(url: string): (readonly [AdapterCost["protocol"], Call, Call])[] {
  const asked = request();
  const openai = new OpenAI({ apiKey: "k", baseURL: `${url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: "k", baseURL: url, maxRetries: 0 });
  const options = { timeoutMs: 10_000, signal: new AbortController().signal };
  const ours = (protocol: AdapterCost["protocol"]): Call => {
    const model = modelOf({ apiKey: "k", baseURL: `${url}/v1`, protocol });
    return async () => {
      const reply = await model.respond(asked, options);
      if (reply.kind !== "answer") throw new Error(reply.message);
    };
  };
  const chat = chatRequest(asked, { apiKey: "k" });
  const responses = responsesRequest(asked, { apiKey: "k", protocol: "responses" });
  const messages = messagesRequest(asked, { apiKey: "k", protocol: "messages" });
  return [
    ["chat", ours("chat"), () => openai.chat.completions.create(chat)],
    [
      "responses",
      ours("responses"),
      () => openai.responses.create(responses as unknown as OpenAI.Responses.ResponseCreateParamsNonStreaming),
    ],
    [
      "messages",
      ours("messages"),
      () => anthropic.messages.create(messages as unknown as Anthropic.MessageCreateParamsNonStreaming),
    ],
  ];
}

/** ms of CPU for one call. */
async function cpuOf(call: Call, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / calls;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 1_000) / 1_000;
}

async function portOf(server: ChildProcess): Promise<number> {
  const [port] = (await once(server, "message")) as [number];
  return port;
}

/**
 * A process with a chat completions server that is as cheap as a correct one can be: it counts the tool results of the transcript,
 * refuses one that is not as it should be, and answers after a time: a tool call each, and then a text. The scripted model of errand/testing checks
 * and remembers more than a measurement wants to wait for.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "./child.ts";
import { ANSWER, MARK, MODEL, TOOLS } from "./scene.ts";

/** Inside another JSON text these words would stand behind backslashes, so each counts one message. */
const RESULT = Buffer.from('"role":"tool"');
const MARKED = Buffer.from(MARK);

let bodies = bodiesOf(TOOLS.length);
let latencyMs = 0;
let holding = false;
const held: (() => void)[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const results = count(body, RESULT);
    if (results !== count(body, MARKED) || results >= bodies.length) return send(response, 400, refusal(results));
    const say = (): void => send(response, 200, bodies[results] ?? "");
    if (holding && results === bodies.length - 1) held.push(say);
    else if (latencyMs === 0) say();
    else setTimeout(say, latencyMs);
  });
});

function send(response: ServerResponse, status: number, body: Buffer | string): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function count(body: Buffer, what: Buffer): number {
  let times = 0;
  for (let at = body.indexOf(what); at >= 0; at = body.indexOf(what, at + what.length)) times++;
  return times;
}

function refusal(results: number): string {
  return JSON.stringify({ error: { message: `a transcript with ${results} tool results, not each of them marked` } });
}

function bodiesOf(calls: number): Buffer[] {
  const turns = Array.from({ length: calls }, (_, turn) => call(TOOLS[turn % TOOLS.length] ?? "", turn));
  return [...turns, answer()].map((choice) => Buffer.from(completion(choice)));
}

function call(name: string, turn: number): object {
  const args = JSON.stringify({ query: `is:open page:${turn}`, max_results: 10 });
  const calls = [{ id: `call_${turn}`, type: "function", function: { name, arguments: args } }];
  return {
    message: { role: "assistant", content: null, refusal: null, tool_calls: calls },
    finish_reason: "tool_calls",
  };
}

function answer(): object {
  return { message: { role: "assistant", content: ANSWER, refusal: null }, finish_reason: "stop" };
}

function completion(choice: object): string {
  return JSON.stringify({
    id: "chatcmpl-lean",
    object: "chat.completion",
    created: 1_795_000_000,
    model: MODEL,
    choices: [{ index: 0, logprobs: null, ...choice }],
    usage: {
      prompt_tokens: 900,
      completion_tokens: 40,
      total_tokens: 940,
      prompt_tokens_details: { cached_tokens: 0 },
    },
  });
}

serve(
  {
    start: async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    },
    latency: (ms: number) => void (latencyMs = ms),
    /** Tool calls of a run, one a turn; at first as many as there are tools. */
    calls: (count: number) => void (bodies = bodiesOf(count)),
    /** From now on each last answer waits. */
    hold: () => void (holding = true),
    held: () => held.length,
    release: () => {
      holding = false;
      for (const say of held.splice(0)) say();
    },
  },
  () => server.close(),
);

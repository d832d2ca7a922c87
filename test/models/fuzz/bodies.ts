/** Bodies of each protocol by chance: honest in their form, odd in their parts, and then changed anywhere. */
import type { Dice } from "../../simulation/dice.ts";
import type { ProtocolName } from "../lab.ts";
import { list, type Maker, mutate, odd, record, text } from "./values.ts";

const NAMES = [
  "read_mail",
  "read_mail",
  "send_mail",
  "long_tool_alias",
  "read_mial",
  "",
  "a.b",
  "x".repeat(90),
  "constructor",
] as const;
const ARGUMENTS = [
  '{"id":"1"}',
  '{"id":"1"}',
  '{"id":"2","n":3}',
  '{"id":1}',
  "{}",
  "",
  '{"id":"1',
  "[]",
  "null",
  "7",
  '"{}"',
  '{"id":"1","id":"2"}',
] as const;
const IDS = ["call_1", "tool:0", "", "t0c0", "x".repeat(120), "toolu_1"] as const;

/** Answers with very many calls: rare, as each takes as long as a hundred others. */
const MANY = 0.01;

const name: Maker = (dice) => (dice.chance(0.6) ? "read_mail" : dice.pick(NAMES));
const args: Maker = (dice) => (dice.chance(0.6) ? '{"id":"1"}' : dice.chance(0.1) ? odd(dice) : dice.pick(ARGUMENTS));
const id: Maker = (dice) => dice.pick(IDS);
const count: Maker = (dice) => dice.pick([0, 5, 1_000, -3, 0.5]);
const error: Maker = (dice) =>
  dice.chance(0.9)
    ? dice.pick([null, undefined, {}])
    : record(dice, { code: (d) => d.pick([429, "429", "rate_limit_exceeded", null, 502]), type: text, message: text });

export function body(protocol: ProtocolName, dice: Dice): unknown {
  if (dice.chance(0.02)) return odd(dice);
  const made = BODIES[protocol](dice);
  while (dice.chance(0.15)) mutate(dice, made);
  if (dice.chance(0.98)) return made;
  // A server that calls its JSON something else; sometimes it breaks off.
  const whole = JSON.stringify(made);
  return dice.chance(0.5) ? whole : whole.slice(0, dice.below(whole.length));
}

const BODIES: Readonly<Record<ProtocolName, (dice: Dice) => unknown>> = { chat, responses, messages };

function chat(dice: Dice): unknown {
  return record(dice, {
    id,
    error,
    model: text,
    choices: (d) => (d.chance(0.97) ? [record(d, CHOICE)] : list(d, 2, (x) => record(x, CHOICE))),
    usage: (d) =>
      record(d, {
        prompt_tokens: count,
        completion_tokens: count,
        prompt_tokens_details: (x) => record(x, { cached_tokens: count }),
        cost: count,
      }),
  });
}

const TOOL_CALL: Readonly<Record<string, Maker>> = {
  id,
  type: (d) => (d.chance(0.9) ? "function" : d.pick(["custom", "web", undefined])),
  function: (d) => record(d, { name, arguments: args }),
  custom: (d) => (d.chance(0.9) ? undefined : record(d, { name, input: text })),
  extra_content: (d) => (d.chance(0.9) ? undefined : { google: { thought_signature: "sig" } }),
};

const CHOICE: Readonly<Record<string, Maker>> = {
  index: () => 0,
  finish_reason: (d) =>
    d.chance(0.8)
      ? d.pick(["stop", "tool_calls"])
      : d.pick(["length", "length", "content_filter", "eos", null, "error"]),
  message: (d) =>
    record(d, {
      role: () => "assistant",
      content: (x) =>
        x.chance(0.8)
          ? x.pick([null, text(x)])
          : list(x, 3, (y) =>
              record(y, {
                type: (z) => z.pick(["text", "text", "thinking", "refusal"]),
                text,
                refusal: (z) => (z.chance(0.9) ? undefined : text(z)),
              }),
            ),
      refusal: (x) => (x.chance(0.95) ? null : text(x)),
      tool_calls: (x) => (x.chance(0.35) ? undefined : list(x, x.chance(MANY) ? 200 : 4, (y) => record(y, TOOL_CALL))),
      function_call: (x) => (x.chance(0.97) ? undefined : record(x, { name, arguments: args })),
      reasoning_details: (x) =>
        x.chance(0.9) ? undefined : list(x, 2, (y) => record(y, { id, type: text, data: text })),
    }),
};

function responses(dice: Dice): unknown {
  return record(dice, {
    id,
    error,
    model: text,
    status: (d) =>
      d.chance(0.85) ? "completed" : d.pick(["incomplete", "failed", "in_progress", "resting", undefined]),
    incomplete_details: (d) => d.pick([null, null, { reason: "max_output_tokens" }, { reason: "content_filter" }]),
    output: (d) =>
      list(d, d.chance(MANY) ? 40 : 5, (x) =>
        record(x, ITEMS[x.weighed({ message: 4, call: 5, reasoning: 2, other: 1 })]),
      ),
    usage: (d) =>
      record(d, {
        input_tokens: count,
        output_tokens: count,
        input_tokens_details: (x) => record(x, { cached_tokens: count }),
      }),
  });
}

const status: Maker = (d) => (d.chance(0.95) ? "completed" : d.pick(["incomplete", "in_progress", "odd", undefined]));
const ITEMS: Readonly<Record<"message" | "call" | "reasoning" | "other", Readonly<Record<string, Maker>>>> = {
  message: {
    type: () => "message",
    id: (d) => d.pick(["msg_1", "msg_2", "x", undefined]),
    role: () => "assistant",
    status,
    phase: (d) => d.pick([undefined, undefined, "commentary", "final_answer"]),
    content: (d) =>
      list(d, 2, (x) =>
        record(x, {
          type: (y) => (y.chance(0.95) ? "output_text" : y.pick(["refusal", "text", "dream"])),
          text,
          refusal: (y) => (y.chance(0.97) ? undefined : text(y)),
          annotations: () => [],
        }),
      ),
  },
  call: {
    type: (d) =>
      d.chance(0.9) ? "function_call" : d.pick(["custom_tool_call", "local_shell_call", "function_call_output"]),
    id: (d) => d.pick(["fc_1", "fc_2", "ctc_1", undefined]),
    call_id: id,
    status,
    name,
    arguments: args,
    input: (d) => (d.chance(0.9) ? undefined : text(d)),
  },
  reasoning: {
    type: () => "reasoning",
    id: (d) => d.pick(["rs_1", "rs_2"]),
    summary: () => [],
    encrypted_content: (d) => d.pick(["zzz", "zzz", "", undefined]),
    content: (d) => d.pick([undefined, undefined, [{ type: "reasoning_text", text: "hm" }]]),
  },
  other: { type: (d) => d.pick(["web_search_call", "dream", "item_reference"]), id, status },
};

function messages(dice: Dice): unknown {
  return record(dice, {
    id,
    type: () => "message",
    role: () => "assistant",
    error,
    model: text,
    stop_reason: (d) =>
      d.chance(0.8)
        ? d.pick(["end_turn", "tool_use"])
        : d.pick(["max_tokens", "refusal", "model_context_window_exceeded", "pause_turn", null, "tired"]),
    stop_details: (d) => d.pick([null, null, { type: "refusal", explanation: "no" }]),
    content: (d) =>
      list(d, d.chance(MANY) ? 40 : 5, (x) =>
        record(x, BLOCKS[x.weighed({ text: 4, call: 5, thinking: 2, other: 2 })]),
      ),
    usage: (d) =>
      record(d, {
        input_tokens: count,
        output_tokens: count,
        cache_read_input_tokens: count,
        cache_creation_input_tokens: count,
      }),
  });
}

const BLOCKS: Readonly<Record<"text" | "call" | "thinking" | "other", Readonly<Record<string, Maker>>>> = {
  text: { type: () => "text", text, citations: (d) => d.pick([undefined, null]) },
  call: {
    type: (d) => (d.chance(0.93) ? "tool_use" : d.pick(["computer_tool_use", "tool_result"])),
    id,
    name,
    input: (d) => (d.chance(0.8) ? d.pick<unknown>([{ id: "1" }, { id: "1", n: 2 }, {}, { id: 5 }]) : args(d)),
  },
  thinking: {
    type: (d) => d.pick(["thinking", "thinking", "redacted_thinking"]),
    thinking: text,
    signature: (d) => d.pick(["sig", "sig", "", undefined]),
    data: (d) => d.pick(["data", undefined]),
  },
  other: {
    type: (d) => d.pick(["server_tool_use", "web_search_tool_result", "mcp_tool_use", "mcp_tool_result", "dream"]),
    id: (d) => d.pick(["srv_1", "srv_2"]),
    tool_use_id: (d) => d.pick(["srv_1", "srv_2"]),
    name,
    input: () => ({}),
    content: () => [],
  },
};

/**
 * Generated answers through the whole way that an answer goes: read, judged, kept, and sent back in the next request.
 * F1 Nothing throws. F2 Each next request is one that the protocol's validator accepts, with each call answered once.
 * F3 A call runs only for a tool that the run has, with arguments that fit its schema, and no more of them than a turn may make.
 */
import { createHash } from "node:crypto";
import { toolNamed, withAliases } from "../../../src/core/aliases.ts";
import { judge, type Judgement } from "../../../src/core/judge.ts";
import { isObject, type Json, toJson } from "../../../src/core/json.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import type { Message, ModelAnswer, ModelRequest } from "../../../src/core/messages.ts";
import type { FrozenTool, RunContext } from "../../../src/core/run.ts";
import type { Asked } from "../../../src/models/answer.ts";
import { chatAnswer } from "../../../src/models/chat-answer.ts";
import { chatRequest } from "../../../src/models/chat-request.ts";
import { type Fault, modelFailure } from "../../../src/models/failure.ts";
import { joinParts, messagesAnswer, pausedRequest } from "../../../src/models/messages-answer.ts";
import { messagesRequest } from "../../../src/models/messages-request.ts";
import { responsesAnswer } from "../../../src/models/responses-answer.ts";
import { responsesRequest } from "../../../src/models/responses-request.ts";
import { checkChatRequest, checkMessagesRequest, checkResponsesRequest } from "../../../src/testing/model/index.ts";
import { createChecker } from "../../../src/tools/check.ts";
import { type Dice, rollDice } from "../../simulation/dice.ts";
import type { ProtocolName } from "../lab.ts";
import { body } from "./bodies.ts";

export interface Fuzzed {
  readonly protocol: ProtocolName;
  readonly responses: number;
  readonly answers: number;
  readonly faults: number;
  readonly runs: number;
  readonly rejections: number;
  readonly requests: number;
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

const TOOLS: readonly FrozenTool[] = withAliases(
  ["read_mail", "send_mail", "long.tool.alias", "y".repeat(80)].map((name, i) => ({
    name,
    description: `A tool, number ${i}.`,
    parameters: {
      type: "object",
      properties: { id: { type: "string" }, n: { type: "number" } },
      required: ["id"],
      additionalProperties: false,
    },
    effect: i === 0 ? "read" : "unsafe",
    connection: "gmail",
    hash: "one schema",
  })),
  hash,
);

const CONTEXT: RunContext = {
  instructions: "Sum up the mails.",
  prompt: "Go",
  profile: "p",
  model: "m",
  limits: { ...DEFAULT_LIMITS, callsPerTurn: 3 },
  tools: TOOLS,
  connections: ["gmail"],
  expiresAfterMs: 60_000,
};

interface Wire {
  answer(body: unknown, asked: Asked): ModelAnswer | Fault;
  request(request: ModelRequest, dice: Dice): unknown;
  check(body: unknown): string[];
}

const flag = (dice: Dice): boolean => dice.chance(0.5);

const WIRES: Readonly<Record<ProtocolName, Wire>> = {
  chat: {
    answer: chatAnswer,
    request: (request, d) =>
      chatRequest(request, {
        apiKey: "k",
        features: { developerRole: flag(d), toolChoiceNone: flag(d), strictTools: flag(d) },
      }),
    check: checkChatRequest,
  },
  responses: {
    answer: responsesAnswer,
    request: (request, d) =>
      responsesRequest(request, {
        apiKey: "k",
        protocol: "responses",
        features: { encryptedReasoning: flag(d), toolChoiceNone: flag(d) },
      }),
    check: checkResponsesRequest,
  },
  messages: {
    answer: messagesAnswer,
    request: (request, d) =>
      messagesRequest(request, {
        apiKey: "k",
        protocol: "messages",
        features: { promptCache: flag(d) ? "5m" : false, toolChoiceNone: flag(d) },
      }),
    check: checkMessagesRequest,
  },
};

const ANY: readonly [ProtocolName, ...ProtocolName[]] = ["chat", "responses", "messages"];
const TURNS = 4;
const check = createChecker();

/** @throws Error with the seed that shows it again, when an invariant breaks */
export function fuzz(protocol: ProtocolName, count: number, seed: number): Fuzzed {
  const told = { responses: 0, answers: 0, faults: 0, runs: 0, rejections: 0, requests: 0 };
  for (let number = 0; told.responses < count; number++) {
    const conversation = seed + number;
    try {
      converse(protocol, rollDice(conversation), told);
    } catch (error) {
      const why = error instanceof Error ? error.stack : String(error);
      throw new Error(`${protocol}, seed ${conversation}: ${why}`, { cause: error });
    }
  }
  return { protocol, ...told };
}

type Told = { -readonly [Field in Exclude<keyof Fuzzed, "protocol">]: number };

/** A run of a few turns, each one an answer by chance. */
function converse(protocol: ProtocolName, dice: Dice, told: Told): void {
  const messages: Message[] = [{ role: "user", text: "Go" }];
  for (let turn = 0; turn < TURNS; turn++) {
    // Now and then the run's protocol has changed under it, or a fallback has spoken.
    const spoken = dice.chance(0.95) ? protocol : dice.pick(ANY);
    const given = body(spoken, dice);
    told.responses++;
    const reply = read(spoken, given, dice);
    if (reply.kind === "fault") {
      told.faults++;
      const failure = modelFailure(reply, { now: 0, secrets: ["key"], said: () => "Go" });
      expect(
        failure.message !== "" && failure.message.length < 600 && failure.message.isWellFormed(),
        "a message that can be shown",
      );
      continue;
    }
    told.answers++;
    checkAnswer(reply);
    const final = turn === TURNS - 1;
    const judgement = judged(reply, turn, final);
    checkPolicy(reply, judgement, told);
    if (judgement.leadsTo === "discard") continue;
    const callIds = judgement.plan.map(({ id }) => id);
    const foreign = dice.chance(0.05) ? ({ foreign: true } as const) : {};
    messages.push({ role: "assistant", verbatim: reply.verbatim, text: reply.text, callIds, ...foreign });
    for (const { id, name } of judgement.plan)
      messages.push({ role: "tool", callId: id, name, text: dice.pick(["{}", "", "words"]) });
    // An answer that finished is sent back only with a word to it.
    if (callIds.length === 0) messages.push({ role: "user", text: judgement.nudge ?? dice.pick(["Again.", "", " "]) });
    checkRequest(protocol, messages, final, dice);
    told.requests++;
  }
}

function read(protocol: ProtocolName, given: unknown, dice: Dice): ModelAnswer | Fault {
  const asked = { model: "m", tookMs: 1, headers: new Headers(), price: { input: 1, output: 2 } };
  if (protocol !== "messages" || pausedRequest({ messages: [] }, given) === undefined)
    return WIRES[protocol].answer(given, asked);
  return messagesAnswer(joinParts([given, body("messages", dice)]), asked);
}

function checkAnswer(answer: ModelAnswer): void {
  const { usage, calls, text, verbatim, costUsd = 0 } = answer;
  for (const count of Object.values(usage))
    expect(Number.isInteger(count) && count >= 0, `a count of ${String(count)}`);
  expect(Number.isFinite(costUsd) && costUsd >= 0, `a cost of ${costUsd}`);
  for (const call of calls)
    for (const value of [call.name, call.arguments, call.providerId])
      expect(typeof value === "string" && value.isWellFormed(), "calls are of well-formed texts");
  expect(text.isWellFormed(), "a well-formed text");
  expect(JSON.stringify(toJson(verbatim)) === JSON.stringify(verbatim), "what is kept is JSON");
}

function judged(answer: ModelAnswer, turn: number, final: boolean): Judgement {
  return judge(answer, {
    turn,
    final,
    context: CONTEXT,
    callsMade: 0,
    repairs: 0,
    check: (tool, args) => check(tool.hash, tool.parameters, args),
    hash: (text) => text,
    withKey: (_tool, args) => args,
  });
}

function checkPolicy(answer: ModelAnswer, judgement: Judgement, told: Told): void {
  if (judgement.leadsTo === "discard") return;
  const made = judgement.plan.filter((call) => call.verdict === "run");
  told.runs += made.length;
  told.rejections += judgement.plan.length - made.length;
  expect(made.length <= CONTEXT.limits.callsPerTurn, `${made.length} calls in one turn`);
  expect(answer.finish !== "refused" || made.length === 0, "a refusal that calls tools");
  expect(new Set(judgement.plan.map(({ id }) => id)).size === judgement.plan.length, "ids that come twice");
  for (const call of made) {
    const index = judgement.plan.indexOf(call);
    const asked = answer.calls[index];
    const tool = TOOLS.find(({ name }) => name === call.name);
    expect(
      tool !== undefined && toolNamed(TOOLS, asked?.name ?? "") === tool,
      `a call of ${call.name}, which the run has not`,
    );
    expect(isObject(call.args) && typeof call.args["id"] === "string", `arguments ${JSON.stringify(call.args)}`);
    const written: unknown = JSON.parse(asked?.arguments ?? "");
    expect(JSON.stringify(written) === JSON.stringify(call.args), "other arguments than were written");
  }
  if (answer.finish === "length" && made.length > 0)
    expect(
      answer.calls.every((call) => isWhole(call.arguments)),
      "calls of an answer that was cut inside one of them",
    );
}

function isWhole(args: string): boolean {
  try {
    return isObject(JSON.parse(args));
  } catch {
    return false;
  }
}

function checkRequest(protocol: ProtocolName, messages: readonly Message[], final: boolean, dice: Dice): void {
  const tools = TOOLS.map(({ name, alias = name, description, parameters }) => ({
    name: alias,
    description,
    parameters,
  }));
  const request: ModelRequest = {
    profile: "p",
    model: "m",
    system: "You help.",
    messages,
    tools,
    toolChoice: final ? "none" : "auto",
  };
  const spoken = dice.chance(0.9) ? protocol : dice.pick(ANY);
  const wire = WIRES[spoken];
  const text = JSON.stringify(wire.request(request, dice));
  const problems = wire.check(JSON.parse(text) as Json);
  expect(problems.length === 0, `${spoken}: ${problems.join(" ")}\n${text}`);
  const last = messages.filter((message) => message.role === "tool").at(-1);
  if (last !== undefined && spoken !== "chat")
    expect(text.includes(`"${last.callId}"`), `the result of ${last.callId} is missing`);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

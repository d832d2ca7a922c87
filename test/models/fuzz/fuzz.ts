/**
 * Generated answers through the whole way that an answer goes: read, judged, kept, and sent back in the next request.
 * F1 Nothing throws. F2 Each next request is one that the protocol's validator accepts, with each call answered once.
 * F3 A call runs only for a tool that the run has, with arguments that fit its schema, and no more of them than a turn may make.
 * F4 In pieces it is the answer that it is in one; whatever the pieces are, they reach nothing but it.
 */
import { createHash } from "node:crypto";
import { withAliases } from "../../../src/core/aliases.ts";
import type { Judgement } from "../../../src/core/judge.ts";
import { DEFAULT_LIMITS } from "../../../src/core/limits.ts";
import type { Message, ModelAnswer, ModelRequest } from "../../../src/core/messages.ts";
import type { FrozenTool, RunContext } from "../../../src/core/run.ts";
import type { Asked } from "../../../src/models/answer.ts";
import type { Fault } from "../../../src/models/failure.ts";
import { joinParts, pausedRequest } from "../../../src/models/messages-answer.ts";
import { createChecker } from "../../../src/tools/check.ts";
import { type Dice, rollDice } from "../../simulation/dice.ts";
import type { ProtocolName } from "../lab.ts";
import { body } from "./bodies.ts";
import { checkAnswer, checkFailure, checkPolicy, checkRequest, checkSame, checkShared } from "./checks.ts";
import { streamed } from "./streams.ts";
import { mutate } from "./values.ts";
import { PRODUCT, type Way } from "./way.ts";

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
      // One of them is a schema that strict mode takes.
      required: i === 1 ? ["id", "n"] : ["id"],
      additionalProperties: false,
    },
    effect: i === 0 ? "read" : "unsafe",
    connection: "gmail",
    hash: i === 1 ? "both" : "one",
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

const OFFERED: ModelRequest["tools"] = TOOLS.map(({ name, alias = name, description, parameters }) => ({
  name: alias,
  description,
  parameters,
}));

const ANY: readonly [ProtocolName, ...ProtocolName[]] = ["chat", "responses", "messages"];
const TURNS = 4;
const ASKED: Asked = { model: "m", tookMs: 1, headers: new Headers(), price: { input: 1, output: 2 } };
const check = createChecker();

/**
 * @param seed of the first conversation; the next ones have the numbers after it
 * @throws Error with the seed that shows it again, when an invariant breaks
 */
export function fuzz(protocol: ProtocolName, count: number, seed: number, way: Way = PRODUCT): Fuzzed {
  const told = { responses: 0, answers: 0, faults: 0, runs: 0, rejections: 0, requests: 0 };
  for (let number = 0; told.responses < count; number++) {
    const conversation = seed + number;
    try {
      converse(protocol, rollDice(conversation), told, way);
    } catch (error) {
      const why = error instanceof Error ? error.stack : String(error);
      throw new Error(`${protocol}, seed ${conversation}: ${why}`, { cause: error });
    }
  }
  return { protocol, ...told };
}

type Told = { -readonly [Field in Exclude<keyof Fuzzed, "protocol">]: number };

/** A run of a few turns, each one an answer by chance. */
function converse(protocol: ProtocolName, dice: Dice, told: Told, way: Way): void {
  const messages: Message[] = [{ role: "user", text: "Go" }];
  for (let turn = 0; turn < TURNS; turn++) {
    // Now and then the run's protocol has changed under it, or a fallback has spoken.
    const spoken = dice.chance(0.95) ? protocol : dice.pick(ANY);
    const given = body(spoken, dice);
    told.responses++;
    const whole = read(spoken, given, dice, way);
    const reply = dice.chance(0.15) ? inPieces(spoken, given, whole, dice, way) : whole;
    if (reply.kind === "fault") {
      told.faults++;
      checkFailure(way.tell(reply, { now: 0, secrets: ["key"], said: () => "Go" }));
      continue;
    }
    told.answers++;
    checkAnswer(reply);
    const final = turn === TURNS - 1;
    const judgement = judged(reply, turn, final, way);
    if (judgement.leadsTo === "discard") continue;
    checkPolicy(reply, judgement, CONTEXT);
    const made = judgement.plan.filter((call) => call.verdict === "run").length;
    told.runs += made;
    told.rejections += judgement.plan.length - made;
    const callIds = judgement.plan.map(({ id }) => id);
    const foreign = dice.chance(0.05) ? ({ foreign: true } as const) : {};
    messages.push({ role: "assistant", verbatim: reply.verbatim, text: reply.text, callIds, ...foreign });
    for (const { id, name } of judgement.plan)
      messages.push({ role: "tool", callId: id, name, text: dice.pick(["{}", "", "words"]) });
    // An answer that finished is sent back only with a word to it.
    if (callIds.length === 0) messages.push({ role: "user", text: judgement.nudge ?? dice.pick(["Again.", "", " "]) });
    const next = dice.chance(0.9) ? protocol : dice.pick(ANY);
    checkRequest(next, way.write(next, requestOf(messages, final), dice), messages);
    told.requests++;
  }
}

function read(protocol: ProtocolName, given: unknown, dice: Dice, way: Way): ModelAnswer | Fault {
  const isPaused = protocol === "messages" && pausedRequest({ messages: [] }, given) !== undefined;
  return way.read(protocol, isPaused ? joinParts([given, body("messages", dice)]) : given, ASKED);
}

/** The same answer as a stream, and a stream that something has happened to. */
function inPieces(
  protocol: ProtocolName,
  given: unknown,
  whole: ModelAnswer | Fault,
  dice: Dice,
  way: Way,
): ModelAnswer | Fault {
  const { events, isPlain } = streamed(protocol, given, dice);
  const isChanged = dice.chance(0.5);
  if (isChanged)
    do mutate(dice, events);
    while (dice.chance(0.3));
  const collected = way.collect(protocol, JSON.parse(JSON.stringify(events)) as unknown[]);
  checkShared();
  const ended: Fault = { kind: "fault", words: "the stream ended before its end" };
  const reply = collected === undefined ? ended : way.read(protocol, collected, ASKED);
  const isPaused = protocol === "messages" && pausedRequest({ messages: [] }, given) !== undefined;
  if (isPlain && !isChanged && !isPaused) checkSame(whole, reply);
  return reply;
}

function judged(answer: ModelAnswer, turn: number, final: boolean, way: Way): Judgement {
  return way.judge(answer, {
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

function requestOf(messages: readonly Message[], final: boolean): ModelRequest {
  const toolChoice = final ? "none" : "auto";
  return { profile: "p", model: "m", system: "You help.", messages, tools: OFFERED, toolChoice };
}

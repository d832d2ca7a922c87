/** What the documents of Scalekit leave open and only the real service can answer (facts/scalekit.md §5). Found, not judged. */
import type { AccountStatus } from "../run.ts";
import { type Asked, type Check, checker } from "./check.ts";

/** The first page of a list that was asked for without a size. */
export interface PageFacts {
  readonly items: number;
  readonly more: boolean;
}

export interface AccountFacts {
  readonly connection: string;
  readonly status: AccountStatus;
  /** How many tools are listed for the user at this connection. */
  readonly tools: Asked<number>;
  /** What a reading call was answered, where the account is not ACTIVE and nothing can be executed. */
  readonly refusal?: { readonly tool: string; readonly answer: string };
}

export interface FindingFacts {
  readonly tools: Asked<PageFacts>;
  readonly connections: Asked<PageFacts>;
  /** With --identifier. */
  readonly scoped?: Asked<PageFacts>;
  readonly accounts?: Asked<readonly AccountFacts[]>;
}

const { ok, failed, skipped } = checker("live");

export function checkFindings(facts: FindingFacts): Check[] {
  return [
    pageOf("default page of connections", facts.connections),
    pageOf("default page of tools", facts.tools),
    ...ofUser(facts),
    skipped(
      "links",
      "whether a second link ends the first, and how long one is good, is not tried",
      "Nothing: a link would be made for a real user.",
    ),
  ];
}

function pageOf(name: string, asked: Asked<PageFacts>): Check {
  if (!asked.ok)
    return failed(name, asked.message, "Ask again later: this was about Scalekit and not about your set-up.");
  const { items, more } = asked.value;
  return ok(name, `${items} items${more ? ", and there are more" : ", which is all"} (${Math.round(asked.tookMs)} ms)`);
}

function ofUser({ scoped, accounts }: FindingFacts): Check[] {
  if (scoped === undefined || accounts === undefined)
    return [
      skipped(
        "accounts of a user",
        "no --identifier",
        "Name a user of yours with --identifier to see what Scalekit tells of their accounts.",
      ),
    ];
  const page = pageOf("default page of a user's tools", scoped);
  if (!accounts.ok)
    return [page, failed("accounts of a user", accounts.message, "Check the identifier, and try again.")];
  return [page, ...accounts.value.flatMap(ofAccount)];
}

function ofAccount({ connection, status, tools, refusal }: AccountFacts): Check[] {
  const name = `account at ${connection}`;
  const listed = tools.ok ? `${tools.value} tools listed` : `tools not listed: ${tools.message}`;
  const told = refusal === undefined ? [] : [ok(`${name}, a call`, `${refusal.tool} on ${status}: ${refusal.answer}`)];
  return [ok(name, `${status}, ${listed}`), ...told];
}

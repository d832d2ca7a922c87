/** What a model call has used is spent: as its answer says, or as its failure allows to say. */
import type { Amount } from "../core/journal.ts";
import type { ModelAnswer, ModelFailure } from "../core/messages.ts";
import { amountOf } from "../core/spending.ts";
import { nanoOf, type Payer } from "./purse.ts";

/** @returns what it cost: as the gateway says, else by price */
export async function settleAnswer({ asked, held, ports }: Payer, answer: ModelAnswer): Promise<Amount> {
  const { usage } = answer;
  const costUsd =
    answer.costUsd ?? (usage.input + usage.output > 0 ? await ports.allowance?.price(asked, usage) : undefined);
  const amount = amountOf(usage, costUsd, held.state.spending.reserved);
  held.settle({ tokens: amount.tokens, nano: nanoOf(amount), ok: true });
  return amount;
}

/** A provider that answers with an error has done nothing for it; without any answer it may have, and may bill it. */
export function settleFailure({ held }: Pick<Payer, "held">, { status, class: why }: ModelFailure): Amount {
  const { reserved = { tokens: 0 } } = held.state.spending;
  const amount = status === undefined ? reserved : { tokens: 0 };
  held.settle({ tokens: amount.tokens, nano: nanoOf(amount), ok: why === "context" || why === "invalid" });
  return amount;
}

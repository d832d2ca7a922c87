/**
 * Management questions through the SDK itself. It repeats them by itself, so only those may go this way that may be repeated. Three
 * weaknesses are covered here (facts/scalekit.md P3, P5, P7, P8): a herd of token requests, dead connections, unbounded waiting.
 */
import { ScalekitClient, ScalekitGatewayTimeoutException } from "@scalekit-sdk/node";
import type { Clock } from "../ports/clock.ts";
import { createSlots, within } from "./bounds.ts";
import { NotSent } from "./failure.ts";
import type { TokenOptions } from "./tokens.ts";

export interface Sdk {
  /** @throws whatever the SDK throws, or NotSent when there is no answer in time */
  ask<T>(question: (client: ScalekitClient) => Promise<T>): Promise<T>;
}

const MOST_AT_ONCE = 64;
const DEAD_AFTER = 3;
/**
 * The SDK renews its token only when a call is refused, once for each call under way. A client that is replaced well before that
 * (tokens live 24 h) never gets there.
 */
const OLDEST_MS = 3_600_000;

interface Warm {
  readonly client: ScalekitClient;
  /** Settled once the client has its token. */
  readonly ready: Promise<unknown>;
  readonly since: number;
}

export function createSdk({ envUrl, clientId, clientSecret, timeoutMs }: TokenOptions, clock: Clock): Sdk {
  const slots = createSlots(MOST_AT_ONCE);
  let current: Warm | undefined;
  let late = 0;

  /** One small question before all others: the SDK would fetch a token for each of them. */
  const warm = (): Warm => {
    if (current !== undefined && clock.monotonic() - current.since < OLDEST_MS) return current;
    const client = new ScalekitClient(envUrl, clientId, clientSecret, { timeoutMs, toolTimeoutMs: timeoutMs });
    const made: Warm = { client, ready: client.actions.listConnections({ pageSize: 1 }), since: clock.monotonic() };
    made.ready.catch(() => forget(made));
    current = made;
    return made;
  };
  /** The SDK cannot be closed: what is forgotten ends its idle connection by itself and keeps no process alive. */
  const forget = (one: Warm): void => {
    if (current === one) current = undefined;
  };

  return {
    async ask(question) {
      // The SDK may take four times its time-out and seven seconds; whoever waits gets an answer before that.
      const deadline = clock.monotonic() + 2 * timeoutMs;
      const left = (): number => deadline - clock.monotonic();
      const tooLate = (): Error => new NotSent("unavailable", `no answer within ${2 * timeoutMs} ms`);
      const giveBack = await slots.take(left(), undefined, tooLate);
      const using = warm();
      const answer = using.ready
        .then(() => {
          if (left() <= 0) throw tooLate();
          return question(using.client);
        })
        .finally(giveBack);
      try {
        const result = await within(answer, left(), undefined, tooLate);
        late = 0;
        return result;
      } catch (error) {
        if (!(error instanceof ScalekitGatewayTimeoutException || error instanceof NotSent)) late = 0;
        else if (++late >= DEAD_AFTER) {
          late = 0;
          forget(using);
        }
        throw error;
      }
    },
  };
}

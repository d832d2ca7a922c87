/** What is told of authorizations: events that an app turns into messages to its users. Without links and secrets until the app has them. */
import type { ApprovalPolicy } from "./needs-approval.ts";
import { type Guidance, guidance, type NextAction } from "./needs.ts";
import type { Need } from "./run.ts";

/** A need, and what the user may be told of it. */
export interface AskedNeed extends Need {
  readonly action: NextAction;
  /** For the user: one sentence. */
  readonly text: string;
  /** The app's own URL that leads the user, once signed in, to a fresh link. It holds no secret and never goes stale. */
  readonly url: string;
}

/** A call that waits for approval. Without its arguments: those are the user's data, and `errand.approvals.list` has them. */
export interface AskedApproval {
  /** What it is decided by. */
  readonly id: string;
  readonly call: string;
  readonly tool: string;
  readonly policy: ApprovalPolicy;
  /** Redis ms; from then on it is denied. */
  readonly expiresAt: number;
}

/**
 * Something happened to what runs of one identifier need. Told at least once: `id` stays the same when it is told again.
 * - `required`: a run parked, and one of the accounts that it needs was not waited for before. It names all that the run needs.
 * - `reminded`: still needed after the time that was set, or an operator asks (`manual`). `number`: 1 for the first reminder.
 * - `granted`: the account is ACTIVE, and no run waits for it any more.
 * - `expired`: the last run that needed it has ended as expired.
 */
export type AuthorizationEvent<N extends Need = AskedNeed> = {
  readonly id: string;
  /** Redis ms. */
  readonly at: number;
  readonly identifier: string;
} & (
  | {
      readonly type: "authorization.required";
      readonly run: string;
      readonly agent: string;
      readonly needs: readonly N[];
    }
  | {
      readonly type: "authorization.reminded";
      readonly number: number;
      readonly manual: boolean;
      readonly needs: readonly N[];
    }
  /** A run parked for a person's word: calls that it may not make before (`errand.approvals`). */
  | {
      readonly type: "approval.required";
      readonly run: string;
      readonly agent: string;
      readonly approvals: readonly AskedApproval[];
    }
  | { readonly type: "authorization.granted"; readonly connection: string }
  | { readonly type: "authorization.expired"; readonly connection: string; readonly run: string }
);

/** @param urlOf the app's connect URL of a connection */
export function withUrls(event: AuthorizationEvent<Need>, urlOf: (connection: string) => string): AuthorizationEvent {
  if (!("needs" in event)) return event;
  const needs = event.needs.map(({ connection, reason }): AskedNeed => {
    const { action, user }: Guidance = guidance(reason, connection);
    return { connection, reason, action, text: user, url: urlOf(connection) };
  });
  return { ...event, needs };
}

/** Why an account keeps runs waiting: which status is which reason, and what each reason asks of the user and of the operator. Pure. */
import type { AccountStatus, NeedReason } from "./run.ts";

/** Only ACTIVE goes on, decided by status, never by an error code or message. */
export function needFor(status: AccountStatus): NeedReason | undefined {
  switch (status) {
    case "ACTIVE":
      return undefined;
    case "PENDING_AUTH":
      return "pending-auth";
    case "PENDING_VERIFICATION":
      return "pending-verification";
    case "EXPIRED":
      return "expired";
    case "DISCONNECTED":
      return "disconnected";
    case "UNSPECIFIED":
    case "NONE":
      return "not-connected";
    default:
      // One that Scalekit may add is not ACTIVE. That none of those above is forgotten, the compiler sees.
      status satisfies never;
      return "not-connected";
  }
}

/** What the user does next. All of them begin at the connect URL; the app may word or place them differently. */
export type NextAction = "connect" | "finish" | "verify" | "reconnect" | "grant";

export interface Guidance {
  readonly action: NextAction;
  /** For the user: one sentence, without names of services of ours. */
  readonly user: string;
  /** For whoever operates the app: what is known, and what to look at when the user cannot help it. */
  readonly operator: string;
}

const GUIDANCE: Readonly<Record<NeedReason, (connection: string) => Guidance>> = {
  "not-connected": (c) => ({
    action: "connect",
    user: `Please connect ${c}, so that your task can go on.`,
    operator: `There is no account yet: the user has to open the connect URL of ${c} and agree.`,
  }),
  "pending-auth": (c) => ({
    action: "finish",
    user: `Please finish connecting ${c}: it was begun, but access was not granted.`,
    operator: `The account exists, but nobody has agreed at the provider: the link was not opened, was left half-way, or is too old. The connect URL of ${c} makes a fresh one.`,
  }),
  "pending-verification": (c) => ({
    action: "verify",
    user: `Please connect ${c} once more while you are signed in here, so that we see that it was you.`,
    operator: `Somebody agreed for ${c}, but who that was has not been verified: the user did not come back to the callback while signed in. If this happens to everybody, check that the authorization handler is served at authorization.baseUrl and that Scalekit's user verification is set to a custom one.`,
  }),
  expired: (c) => ({
    action: "reconnect",
    user: `Please connect ${c} again: the access has run out or was withdrawn.`,
    operator: `${c} cannot be refreshed any more: the user or an admin withdrew the access, or the provider gave none for offline use. If it happens to everybody, check the connection's scopes in Scalekit.`,
  }),
  disconnected: (c) => ({
    action: "reconnect",
    user: `${c} was disconnected. Please connect it again if your task is to go on.`,
    operator: `Somebody disconnected ${c} on purpose: the user, an admin, or Scalekit's dashboard. Do not press the user; cancel the runs if it was meant.`,
  }),
  "missing-scope": (c) => ({
    action: "grant",
    user: `Please connect ${c} again and allow everything that is asked for: a permission is missing.`,
    operator: `${c} is ACTIVE, but the provider refused a call for want of a permission: the user left one out, or the connection's scopes in Scalekit do not cover the tool. In the latter case add them first.`,
  }),
  refused: (c) => ({
    action: "reconnect",
    user: `Please connect ${c} again: the provider does not accept the present connection.`,
    operator: `${c} is ACTIVE for Scalekit, but the provider refuses its calls, also after a minute of tries: the grant was withdrawn there, or an admin's policy blocks the app.`,
  }),
};

export function guidance(reason: NeedReason, connection: string): Guidance {
  return GUIDANCE[reason](connection);
}

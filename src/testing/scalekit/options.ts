/** What the emulator can be told at its start. Everything has a default; unverified behaviour of Scalekit is an option. */
import type { Connector } from "../connectors/connector.ts";
import type { CodeName } from "./errors.ts";
import type { WebhookTarget } from "./webhooks.ts";

export interface ConnectionOptions {
  /** The configured name, which differs per environment: `gmail-prod`. */
  readonly name: string;
  /** `gmail`, `slack`, `github`, `googlecalendar`, `salesforce`, `hubspot`, or one of your own (see `defineConnector`). */
  readonly connector: string | Connector;
}

export interface ScalekitEmulatorOptions {
  /** Configured connections. A plain name stands for the connector of that name. Default: `["gmail"]`. */
  readonly connections?: readonly (string | ConnectionOptions)[];
  /** Default 0: any free port. Always on 127.0.0.1. */
  readonly port?: number;
  /** Default `skc_emulator`. */
  readonly clientId?: string;
  /** Default `emulator-secret`. */
  readonly clientSecret?: string;
  /** How long an access token is good. Default 24 h. */
  readonly tokenTtlMs?: number;
  /** How long a magic link is good. Default 10 min (Scalekit does not say). */
  readonly linkTtlMs?: number;
  /** Shown on the consent page. Default `Your app`. */
  readonly appName?: string;
  /**
   * `custom` (default): after consent the user goes to the app's userVerifyUrl and the app verifies them.
   * `none`: the account is ACTIVE at once, and the user sees a page that says so.
   */
  readonly verification?: "custom" | "none";
  /** Where the app sends the user after verification. Default: a page of the emulator. */
  readonly postVerifyUrl?: string;
  /** Signed webhooks, from the start. More can be added later: `scalekit.webhooks.add`. */
  readonly webhooks?: readonly WebhookTarget[];
  /** Connectors whose API proxy is on: Scalekit has it off. `true`: all. */
  readonly proxy?: boolean | readonly string[];
  /** Not documented: does a new link end the former one? Default false. */
  readonly newLinkEndsFormer?: boolean;
  /** Not documented: does making a link move an account that is not ACTIVE to PENDING_AUTH? Default false. */
  readonly linkMovesToPendingAuth?: boolean;
  /** Not documented: are tools of accounts that are not ACTIVE listed? Default false. */
  readonly listToolsOfInactive?: boolean;
  /** Not documented: are tools listed whose scopes the user has not granted? Default false. */
  readonly listToolsWithoutScope?: boolean;
  /** Not documented: what ExecuteTool answers when the account is not ACTIVE. Default FailedPrecondition. */
  readonly notActive?: { readonly code?: CodeName; readonly errorCode?: string };
  /** Makes `freezeConnections` possible, at the price of one more loopback hop. Default false. */
  readonly freezable?: boolean;
  /** Unix milliseconds. Default: the system clock. */
  readonly now?: () => number;
}

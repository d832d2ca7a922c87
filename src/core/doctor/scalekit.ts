/** Scalekit: the environment, our credentials, the names that agents use, and where users return to. */
import { scalekitTools } from "../agents.ts";
import type { Agent } from "../agent.ts";
import { didYouMean } from "../nearest.ts";
import { type Asked, type Check, checker } from "./check.ts";

export type ScalekitLooked =
  | { readonly is: "absent" }
  | { readonly is: "invalid"; readonly problem: string }
  | {
      readonly is: "asked";
      readonly envUrl: string;
      readonly token: Asked<true>;
      /** Not asked for without a token. */
      readonly connections?: Asked<readonly string[]>;
      readonly tools?: Asked<readonly string[]>;
    };

export interface ScalekitFacts {
  readonly looked: ScalekitLooked;
  readonly agents: readonly Agent[];
  /** `authorization.baseUrl`. */
  readonly baseUrl?: string;
}

const { ok, warning, failed, skipped } = checker("scalekit");

export function checkScalekit({ looked, agents, baseUrl }: ScalekitFacts): Check[] {
  const returns = checkBaseUrl(baseUrl, agents);
  if (looked.is === "absent") {
    const todo = "Set SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET: workers need them.";
    const result = agents.length > 0 ? failed : skipped;
    return [result("credentials", "Scalekit is not configured", todo), returns];
  }
  if (looked.is === "invalid")
    return [failed("credentials", looked.problem, "Correct it; Scalekit was not asked."), returns];
  const { envUrl, token, connections, tools } = looked;
  return [
    checkUrl(envUrl),
    checkToken(token),
    checkNames("connections", connections, agents, (agent) => agent.connections, CONNECTIONS),
    checkNames("tools", tools, agents, scalekitTools, TOOLS),
    returns,
  ];
}

function checkUrl(envUrl: string): Check {
  const { host, pathname } = new URL(envUrl);
  if (pathname === "/") return ok("environment", host);
  return warning(
    "environment",
    `${host}${pathname}`,
    "Leave the path out of SCALEKIT_ENV_URL, such as https://acme.scalekit.cloud.",
  );
}

function checkToken(token: Asked<true>): Check {
  const name = "credentials";
  if (token.ok) return ok(name, `a token in ${Math.round(token.tookMs)} ms`);
  if (token.why === "credentials")
    return failed(
      name,
      token.message,
      "Compare SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET with the dashboard of this environment.",
    );
  return failed(name, token.message, "Check SCALEKIT_ENV_URL and the way there: a proxy, DNS, the firewall.");
}

const CONNECTIONS = "Name them as the dashboard does: names differ per environment.";
const TOOLS = "Take the names from Scalekit's list of tools: those in samples differ.";

function checkNames(
  name: string,
  asked: Asked<readonly string[]> | undefined,
  agents: readonly Agent[],
  namesOf: (agent: Agent) => readonly string[],
  todo: string,
): Check {
  if (asked === undefined) return skipped(name, "Scalekit gave no token", "Get the credentials right first.");
  if (!asked.ok)
    return failed(name, asked.message, "Check that gRPC over HTTP/2 gets through to Scalekit, and our rights there.");
  const known = asked.value;
  const named = [...new Set(agents.flatMap(namesOf))];
  const unknown = named.filter((one) => !known.includes(one));
  const took = `${Math.round(asked.tookMs)} ms`;
  if (unknown.length === 0) {
    const own = agents.length === 0 ? "" : `, among them all ${named.length} that agents name`;
    return ok(name, `${known.length} in this environment${own} (${took})`);
  }
  const told = unknown.map((one) => {
    const users = agents.filter((agent) => namesOf(agent).includes(one)).map((agent) => agent.name);
    return `"${one}" of agent ${users.join(", ")} is unknown.${didYouMean(one, known)}`;
  });
  return failed(name, told.join(" "), todo);
}

/** The state and the session of a user who connects go there. */
function checkBaseUrl(baseUrl: string | undefined, agents: readonly Agent[]): Check {
  const name = "return URL";
  const needed = agents.some((agent) => agent.connections.length > 0);
  if (baseUrl === undefined) {
    const todo =
      "Set ERRAND_BASE_URL to where your app serves authorizationHandler, or users cannot connect their accounts.";
    return (needed ? warning : skipped)(name, "authorization.baseUrl is not given", todo);
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== ""
  )
    return failed(
      name,
      "authorization.baseUrl is not a plain http(s) URL",
      "Give it as https://app.example.com/errand, without query and fragment.",
    );
  if (url.protocol === "https:") return ok(name, url.href);
  if (/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
    return ok(name, `${url.href}, for development on this machine`);
  return failed(name, url.href, "Serve it by https: the user's session and the state of the link travel there.");
}

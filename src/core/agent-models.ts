/** Which models an agent names, and what for. */
import { FALLBACK_ON, isSame, TROUBLES } from "./fallback.ts";
import type { ModelName, Trouble } from "./messages.ts";
import { didYouMean } from "./nearest.ts";

export interface ModelsOptions {
  /**
   * `profile/model`: a key of `createErrand({ models })`, then the name that the provider knows. Of a list the first is asked, and the
   * others, one after the other, when it does not answer (`fallbackOn`).
   */
  readonly model: string | readonly string[];
  /**
   * Which troubles lead to the next model at once; what is not named stays as it is. By default all of them but `refused`: `retry` (5xx,
   * connection, time-out), `rate-limit`, `billing`, `credentials`, `context` (still too long after all was done), `invalid`, `unusable`.
   */
  readonly fallbackOn?: Partial<Record<Trouble, boolean>>;
  /**
   * Sums up old turns when a run's transcript becomes too long for its model: `profile/model` of a cheap one. Default: the model that is
   * asked. `false`: nothing is summed up, and a run whose transcript stays too long fails as `context-overflow`.
   */
  readonly summariser?: string | false;
}

export interface AgentModels extends ModelName {
  readonly fallbacks: readonly ModelName[];
  readonly fallbackOn: Readonly<Partial<Record<Trouble, boolean>>>;
  readonly summariser: ModelName | false | undefined;
}

/** @param refuse throws, with what was expected */
export function readModels(
  { model, fallbackOn = {}, summariser }: ModelsOptions,
  refuse: (message: string) => never,
): AgentModels {
  const given: readonly unknown[] = Array.isArray(model) ? model : [model];
  const [first, ...fallbacks] = given.map((one) => readModel(one, "model", refuse));
  if (first === undefined) return refuse("model: expected at least one model, got an empty list.");
  const all = [first, ...fallbacks];
  const twice = all.find((one, i) => all.findIndex((other) => isSame(other, one)) !== i);
  if (twice !== undefined) refuse(`model: "${twice.profile}/${twice.model}" is named twice.`);
  checkTroubles(fallbackOn, refuse);
  return {
    ...first,
    fallbacks,
    fallbackOn,
    summariser: typeof summariser === "string" ? readModel(summariser, "summariser", refuse) : summariser,
  };
}

function readModel(given: unknown, what: string, refuse: (message: string) => never): ModelName {
  const slash = typeof given === "string" ? given.indexOf("/") : -1;
  if (typeof given !== "string" || slash < 1 || slash === given.length - 1)
    return refuse(
      `${what}: expected "profile/model", such as "openai/" and a model's name, got ${JSON.stringify(given)}. The profile is a key of createErrand({ models }).`,
    );
  return { profile: given.slice(0, slash), model: given.slice(slash + 1) };
}

function checkTroubles(given: Readonly<Record<string, unknown>>, refuse: (message: string) => never): void {
  if (typeof given !== "object" || given === null)
    refuse(`fallbackOn: expected an object such as { refused: true }, got ${String(given)}.`);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(FALLBACK_ON, name))
      refuse(`fallbackOn: unknown trouble "${name}".${didYouMean(name, TROUBLES)} Known: ${TROUBLES.join(", ")}.`);
    if (value !== undefined && typeof value !== "boolean")
      refuse(`fallbackOn.${name}: expected true or false, got ${JSON.stringify(value)}.`);
  }
}

/** All models that runs of this agent may ask. */
export function modelsOf({ profile, model, fallbacks, summariser }: AgentModels): readonly ModelName[] {
  const all = [
    { profile, model },
    ...fallbacks,
    ...(summariser === undefined || summariser === false ? [] : [summariser]),
  ];
  return all.filter((one, i) => all.findIndex((other) => isSame(other, one)) === i);
}

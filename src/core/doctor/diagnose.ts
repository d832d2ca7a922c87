/** All that was gathered, judged, in the order in which a person reads it. */
import type { Check } from "./check.ts";
import { checkFindings, type FindingFacts } from "./findings.ts";
import { checkModels, checkTrials, type ProfileFacts, type TrialFacts } from "./models.ts";
import { checkRedis, type RedisLooked } from "./redis.ts";
import { checkScalekit, type ScalekitFacts } from "./scalekit.ts";
import { checkTools, type ToolFacts } from "./tools.ts";
import { checkSetUp, type SetUpFacts } from "./set-up.ts";

export interface Facts {
  readonly setUp: SetUpFacts;
  readonly redis: RedisLooked;
  readonly scalekit: ScalekitFacts;
  /** Of sources beside Scalekit. */
  readonly tools?: ToolFacts;
  readonly models: readonly ProfileFacts[];
  /** With --live. */
  readonly trials?: readonly TrialFacts[];
  readonly findings?: FindingFacts;
}

export function diagnose({ setUp, redis, scalekit, tools, models, trials = [], findings }: Facts): Check[] {
  return [
    ...checkSetUp(setUp),
    ...checkRedis(redis),
    ...checkScalekit(scalekit),
    ...(tools === undefined ? [] : checkTools(tools)),
    ...checkModels(models),
    ...checkTrials(trials),
    ...(findings === undefined ? [] : checkFindings(findings)),
  ];
}

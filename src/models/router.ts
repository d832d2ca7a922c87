/** Chooses the model endpoint by the request's profile. */
import { didYouMean } from "../core/nearest.ts";
import type { Model } from "../ports/model.ts";

/** A profile that is not here is refused at boot; a run that was frozen under an older configuration may still name it. */
export function modelRouter(profiles: Readonly<Record<string, Model>>): Model {
  const models = new Map(Object.entries(profiles));
  const known = [...models.keys()];
  return {
    cancel: async (asked, answer) => models.get(asked.profile)?.cancel?.(asked, answer),
    async respond(request, options) {
      const model = models.get(request.profile);
      if (model !== undefined) return model.respond(request, options);
      const name = JSON.stringify(request.profile);
      return {
        kind: "failure",
        class: "invalid",
        message: `There is no model profile ${name}.${didYouMean(request.profile, known)} Known: ${known.join(", ") || "none"}. Name it in createErrand({ models }).`,
      };
    },
  };
}

import type { ModelName } from "../core/messages.ts";

/** Tokens that fit into a model, and how they are counted. Contract: never throws; what must be loaded is loaded when first asked for. */
export interface Rooms {
  of(asked: ModelName): Promise<ModelRoom>;
  counter(): Promise<(text: string) => number>;
}

export interface ModelRoom {
  /** Request and answer together. */
  readonly contextTokens: number;
  /** Kept free for the answer. */
  readonly answerTokens: number;
  /** Nobody told: it is a guess, and a request that is longer is sent all the same. */
  readonly guessed: boolean;
}

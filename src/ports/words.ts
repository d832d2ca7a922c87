/** What a model writes while it writes it, for whoever watches. Hints: they may be lost, and nobody waits for them. */
export interface Words {
  /** Never throws, and never waits. */
  open(run: string, of: WordsOf): OpenWords;
}

export interface WordsOf {
  readonly turn: number;
  readonly attempt: number;
}

export interface OpenWords {
  readonly write: (text: string) => void;
  /** Sends what is left. */
  readonly close: () => void;
}

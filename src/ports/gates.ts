/** Gates, as a run sees them that may have to wait. */
export interface Gates {
  /** The gate's version now; 0 for one that was never opened. Read it before the truth that it stands for (DESIGN §5). */
  version(gate: string): Promise<number>;
}

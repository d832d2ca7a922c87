/** Random operations on a store (random.test.ts). */
import fc from "fast-check";

export const IDS: readonly ["a", "b", "c", "d"] = ["a", "b", "c", "d"];
/** Two accounts of ann, one of bob, and a gate of another kind; who parks where is nobody's concern here. */
export const GATES: readonly [string, string, string, string] = [
  "account/ann/g",
  "account/ann/h",
  "account/bob/g",
  "other",
];
const MOVES = ["stay", "stay", "line", "moment", "gate", "accounts", "accounts", "accounts", "review", "end"] as const;

export type Op =
  | {
      readonly do: "create";
      readonly run: string;
      readonly priority: number;
      readonly idem: string;
      readonly coalesce: "all" | "latest" | "skip";
      readonly agent: string;
    }
  | { readonly do: "claim"; readonly run: string; readonly with: "ticket" | "old" | "none" }
  | { readonly do: "renew" | "cancel" | "evidence"; readonly run: string; readonly old: boolean }
  | {
      readonly do: "commit";
      readonly run: string;
      readonly to: (typeof MOVES)[number];
      readonly gate: string;
      /** Of a park for accounts: which of the first three. */
      readonly needs: readonly number[];
      readonly after: boolean;
      readonly prepared: boolean;
      readonly old: boolean;
      readonly wrong: boolean;
      readonly sameNonce: boolean;
    }
  | { readonly do: "open"; readonly gate: string; readonly changed: number | undefined }
  | { readonly do: "looked" | "remind"; readonly gate: string }
  | { readonly do: "pause" | "resume"; readonly name: string }
  | { readonly do: "weigh"; readonly name: string; readonly weight: number }
  /** A worker takes it and asks a model; what is stopped waits for the switch. */
  | { readonly do: "begin"; readonly run: string }
  /** A run that waits for a person's word on one of two attempts, that word, and what comes of it after all. */
  | { readonly do: "ask" | "answer" | "settle"; readonly run: string; readonly second: boolean; readonly yes: boolean }
  | { readonly do: "age"; readonly ms: number }
  | { readonly do: "due" };

const run = fc.constantFrom(...IDS);
export const rarely: fc.Arbitrary<boolean> = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
export const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("create" as const),
      run,
      priority: fc.constantFrom(0, 5, -5),
      idem: fc.constantFrom("", "", "k"),
      coalesce: fc.constantFrom("all", "all", "latest", "skip"),
      agent: fc.constantFrom("note", "note", "task"),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      run,
      with: fc.constantFrom("ticket", "ticket", "ticket", "old", "none"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("renew", "cancel", "evidence"), run, old: rarely }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      run,
      to: fc.constantFrom(...MOVES),
      gate: fc.constantFrom(...GATES),
      needs: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
      after: fc.boolean(),
      prepared: rarely,
      old: rarely,
      wrong: rarely,
      sameNonce: rarely,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      gate: fc.constantFrom(...GATES),
      changed: fc.constantFrom(undefined, 4_000, 6_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("looked", "remind"), gate: fc.constantFrom(...GATES) }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom("ask", "ask", "answer", "answer", "settle"),
      run,
      second: fc.boolean(),
      yes: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("pause", "resume"),
      name: fc.constantFrom("agent:note", "identifier:ann", "tenant:acme"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("weigh" as const),
      name: fc.constantFrom("identifier:ann", "identifier:bob", "tenant:acme"),
      weight: fc.constantFrom(1, 2, 3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("begin" as const), run }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("age" as const), ms: fc.constantFrom(3_000, 17_000, 31_000, 61_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("due" as const) }) },
);

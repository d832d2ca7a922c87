/** Who takes part in the demo, and what happens to each. */
export interface Person {
  readonly identifier: string;
  readonly name: string;
  readonly plight: "connected" | "not-connected" | "lost-on-the-way";
}

export const PEOPLE: readonly Person[] = [
  { identifier: "ada", name: "Ada", plight: "connected" },
  { identifier: "bob", name: "Bob", plight: "not-connected" },
  { identifier: "carol", name: "Carol", plight: "lost-on-the-way" },
];

/** Layer L2 of the proof: the store that the simulation uses and the scripts on Redis are the same store (docs/reliability.md). */
import { answersConformance } from "./answers.ts";
import { askingConformance } from "./asking.ts";
import { countingConformance } from "./counting.ts";
import { approvalsConformance } from "./approvals.ts";
import { coalesceConformance } from "./coalesce.ts";
import { journalConformance } from "./journal.ts";
import { needsConformance } from "./needs.ts";
import { placesConformance } from "./places.ts";
import { remindersConformance } from "./reminders.ts";
import { switchesConformance } from "./switches.ts";
import { redisSubject, stillSubject } from "./redis-subject.ts";
import { memorySubject, type OpenSubject } from "./subject.ts";
import { sentTwice } from "./twice.ts";

const SUBJECTS: readonly [string, OpenSubject][] = [
  ["memory", memorySubject],
  ["memory, all sent twice", (t, options) => sentTwice(memorySubject(t, options))],
  ["redis", redisSubject],
  ["redis, all in one millisecond", stillSubject],
  ["redis, all sent twice", (t, options) => sentTwice(redisSubject(t, options))],
];
for (const [name, open] of SUBJECTS) {
  journalConformance(name, open);
  placesConformance(name, open);
  coalesceConformance(name, open);
  needsConformance(name, open);
  remindersConformance(name, open);
  answersConformance(name, open);
  switchesConformance(name, open);
  askingConformance(name, open);
  countingConformance(name, open);
  approvalsConformance(name, open);
}

/**
 * Property tests draw the same cases in every run, so that a red test is the change's fault and can be run again. To explore:
 * `ERRAND_TEST_SEED=random npm test`, or a number that a failure printed.
 */
import fc from "fast-check";

const given = process.env["ERRAND_TEST_SEED"];
if (given !== "random") fc.configureGlobal({ seed: given === undefined ? 20_261_121 : Number(given) });

/** What a person can put right: its message is one sentence that says how, and is shown without a stack. */
export class SetupError extends Error {}

/** A failure that a person can fix: its message says what happened and what to do. */
export class BuildProblem extends Error {}

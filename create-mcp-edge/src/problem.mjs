// What keeps a project from being created, for the person who asked for it.

/** Says what is wrong and, in `fix`, what to do about it. */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {string} [fix]
   */
  constructor(message, fix) {
    super(message);
    this.fix = fix;
  }

  /** The message and the fix, each in a line of its own. */
  get text() {
    return this.fix === undefined ? this.message : `${this.message}\n  ${this.fix}`;
  }
}

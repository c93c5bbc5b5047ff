// What can go wrong, in words for the operator: what happened, why, and how to fix it.

const MAX_TEXT = 300;

/** An error that the operator can fix. Its members never contain a secret or a token. */
export class Problem extends Error {
  /**
   * @param {string} what  what happened
   * @param {{why?: string, fix?: string, isFatal?: boolean, status?: number}} [more]
   *   `isFatal`: nothing else can work either. Defaults to true; `status`: with which Logto refused
   */
  constructor(what, { why, fix, isFatal = true, status } = {}) {
    super(what);
    Object.assign(this, { why, fix, isFatal, status });
  }

  /** The lines to print. */
  get lines() {
    return [this.message, this.why && `  why  ${this.why}`, this.fix && `  fix  ${this.fix}`].filter(Boolean);
  }
}

/** Text of others as one line without control characters. */
export const oneLine = (text) => String(text ?? "").replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();

/** Text of another program, safe to print: one line without control characters, not too long. */
export function plain(text) {
  const line = oneLine(text);
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

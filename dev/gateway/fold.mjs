// Names as readers see them that compare without case (crates/mcp-protocol/src/members.rs).

const LETTERS = { ſ: "s", "\u212a": "k", ı: "i", İ: "i", ß: "ss", "\u1e9e": "ss", ﬀ: "ff", ﬁ: "fi", ﬂ: "fl", ﬃ: "ffi", ﬄ: "ffl", ﬅ: "st", ﬆ: "st" };

/** Letters that become ASCII in upper or lower case as that, ASCII in lower case, and others as they are. */
export const fold = (text) => [...text].map((letter) => LETTERS[letter] ?? (/[A-Z]/.test(letter) ? letter.toLowerCase() : letter)).join("");

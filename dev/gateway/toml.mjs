// Settings as lines of TOML or JSONC, for people to copy. What an upstream calls things cannot end a string.

// JSON's escapes are those of TOML's basic strings, which has one control character more.
const encode = (text) => JSON.stringify(text).slice(1, -1).replaceAll("\u007f", "\\u007f");

/**
 * The lines of a setting whose entries are separated by white space.
 * @param {string[]} entries
 * @param {string} [file]  the configuration that they are for
 */
export function settingLines(name, entries, file = "wrangler.toml") {
  // JSON has no strings of several lines.
  if (/\.jsonc?$/.test(file)) return [`${JSON.stringify(name)}: ${JSON.stringify(entries.join(" "))},`];
  const encoded = entries.map(encode);
  const line = `${name} = "${encoded.join(" ")}"`;
  if (line.length <= 100) return [line];
  return [`${name} = """`, ...encoded.map((entry) => `  ${entry}`), '"""'];
}

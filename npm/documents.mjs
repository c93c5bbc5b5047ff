// Documents of the repository, as a package has them: a link to what is packed leads there, one to anything else to the repository.

import { dirname, join, normalize, posix } from "node:path";
import { withoutCode } from "../dev/check-links.mjs";

/** A link or a picture. What it says may have brackets of its own only in code. */
const LINK = /(!?)\[([^[\]]*)\]\(\s*<?([^)\s>]+)>?\s*\)/g;

/**
 * @typedef {object} Packing
 * @property {(path: string) => string | undefined} packedAs  where the package has a file or folder of the repository
 * @property {(path: string, isPicture: boolean) => string | undefined} addressOf  where anybody can read another one
 *
 * Pure: text in, text out.
 * @param {string} text  Markdown
 * @param {string} from  its path in the repository
 * @param {Packing} packing  has `from`, too
 * @returns {string} the text with other links. What is neither packed nor anywhere else is named without a link
 */
export function packedDocument(text, from, { packedAs, addressOf }) {
  const to = packedAs(from);
  const prose = withoutCode(text);
  let result = "";
  let end = 0;
  for (const { 0: all, 1: mark, 2: words, 3: target, index } of prose.matchAll(LINK)) {
    const start = index + mark.length + 1;
    // What it says, with its code.
    const said = text.slice(start, start + words.length);
    result += text.slice(end, index);
    result += linkTo(target, { said, mark, all: text.slice(index, index + all.length) });
    end = index + all.length;
  }
  return result + text.slice(end);

  function linkTo(target, { said, mark, all }) {
    if (/^(?:[a-z][a-z+.-]*:|\/|#|(?:\.\.\/)*node_modules\/)/i.test(target)) return all;
    const [path, anchor] = target.split("#");
    const meant = normalize(join(dirname(from), decodeURIComponent(path))).replaceAll("\\", "/").replace(/\/$/, "");
    const packed = packedAs(meant);
    const place = packed === undefined ? addressOf(meant, mark === "!") : posix.relative(posix.dirname(to), packed);
    if (place === undefined) return mark === "!" ? `*${said}*` : said;
    return `${mark}[${said}](${place}${anchor === undefined ? "" : `#${anchor}`})`;
  }
}

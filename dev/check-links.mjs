// `make check`: every link between documents of this repository leads to a file, and to a heading where it names one.
//
// Not followed: links to other hosts, and into `node_modules/`, which the documents of templates have for the projects that are
// made of them.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * The links of a Markdown document that lead nowhere, as lines for a person.
 *
 * Input: its path and text, `exists(path)`, and `read(path)` for the documents that it links to.
 */
export function brokenLinks(file, text, { exists, read }) {
  return linksOf(text).flatMap(({ target, line }) => {
    const [path, anchor] = target.split("#");
    const to = path === "" ? file : normalize(join(dirname(file), decodeURIComponent(path)));
    const at = `${file}:${line} links to ${target}`;
    if (!exists(to)) return [`${at}: there is no ${to}`];
    if (!anchor || !to.endsWith(".md") || anchorsOf(read(to)).has(anchor)) return [];
    return [`${at}: ${to} has no heading of this name`];
  });
}

/** Links within the repository, with their lines. Code is no link. */
function linksOf(text) {
  const prose = withoutCode(text);
  const found = prose.matchAll(/\]\(\s*<?([^)\s>]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:src|srcset|href)="([^"]+)"/gm);
  return [...found]
    .map((match) => ({ target: match[1] ?? match[2] ?? match[3], line: prose.slice(0, match.index).split("\n").length }))
    .filter(({ target }) => !/^(?:[a-z][a-z+.-]*:|\/|(?:\.\.\/)*node_modules\/)/i.test(target));
}

/** A Markdown document with blanks instead of its code: every other character stays where it is. */
export function withoutCode(text) {
  return text
    .replaceAll(/^( *)(`{3,})[^]*?^\1\2 *$/gm, blank)
    .replaceAll(/(`+)(?!`)[^]*?[^`]\1(?!`)/g, blank);
}

/** The same number of lines without their text. */
function blank(text) {
  return text.replaceAll(/[^\n]/g, " ");
}

/** The names that GitHub gives to the headings of a document. */
function anchorsOf(text) {
  const names = new Set();
  for (const [, heading] of text.replaceAll(/^( *)(`{3,})[^]*?^\1\2 *$/gm, blank).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const name = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-");
    let unique = name;
    for (let count = 1; names.has(unique); count += 1) unique = `${name}-${count}`;
    names.add(unique);
  }
  return names;
}

function main() {
  const options = { cwd: ROOT, encoding: "utf8" };
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], options);
  const files = listed.split("\0").filter((file) => file !== "" && existsSync(join(ROOT, file)));
  const read = (file) => readFileSync(join(ROOT, file), "utf8");
  const exists = (file) => existsSync(join(ROOT, file));
  const broken = files.flatMap((file) => brokenLinks(file, read(file), { exists, read }));
  for (const line of broken) console.error(`links: ${line}`);
  if (broken.length > 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();

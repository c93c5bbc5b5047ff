// Where the version stands in the files of the repository. Pure: text in, places out.
//
// A place is `{ file, line, start, found, what }`: `found` is the version that stands at the offset `start`, and `what` says
// what it is the version of. These are places:
//
//   Cargo.toml     [workspace.package] version; the version of a dependency on one of our packages
//   Cargo.lock     our packages, where they come from a path
//   package.json, package-lock.json
//                  the version of our npm packages, and of dependencies on them
//
// The version of a template's own project is its author's, and no place. Neither is a dependency that names no version:
// `file:…`, `latest`, or a placeholder that the generator fills in.

/** The packages that are published on npm. */
const NPM_PACKAGES = ["mcp-edge", "create-mcp-edge"];

/** A version, perhaps with the operator of a requirement before it, which stays. */
const REQUIREMENT = String.raw`"([=^~]?\s*)(\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?)"`;

/** The version of the workspace, or undefined. */
export function workspaceVersion(text) {
  return tomlPlaces("Cargo.toml", text, new Set()).find((place) => place.what === "the workspace")?.found;
}

/** The names of this repository's crates: what Cargo.lock has without a source. */
export function ownPackages(lock) {
  return new Set(lockEntries(lock).map(({ name }) => name));
}

/** The places in a file; none in a file of another kind. `read` returns the text of a path. */
export function placesIn(file, own, read) {
  const name = file.split("/").at(-1);
  // `Cargo.toml.liquid` is what a template may call it, so that cargo does not take it for a package.
  if (/^Cargo\.toml/.test(name)) return tomlPlaces(file, read(file), own);
  if (name === "Cargo.lock") return lockPlaces(file, read(file), own);
  if (name === "package.json" || name === "package-lock.json") return jsonPlaces(file, read(file));
  return [];
}

function tomlPlaces(file, text, own) {
  let section = "";
  return lines(text).flatMap(({ line, number, start }) => {
    const heading = /^\s*\[+\s*(.+?)\s*\]+/.exec(line);
    if (heading !== null) {
      section = heading[1].replaceAll('"', "");
      return [];
    }
    const at = (match, what) => place(file, number, start, match, what);
    const plain = new RegExp(String.raw`^\s*version\s*=\s*${REQUIREMENT}`, "d").exec(line);
    if (section === "workspace.package") return plain === null ? [] : [at(plain, "the workspace")];
    // [dependencies.mcp-edge], also of a target
    const table = /dependencies\.([^.]+)$/.exec(section)?.[1];
    if (plain !== null && own.has(table)) return [at(plain, `the dependency ${table}`)];
    const key = /^\s*"?([A-Za-z0-9_-]+)"?\s*=/.exec(line)?.[1];
    if (!own.has(key) || !/dependencies$/.test(section)) return [];
    const version = new RegExp(String.raw`=\s*${REQUIREMENT}|[{,]\s*version\s*=\s*${REQUIREMENT}`, "d").exec(line);
    return version === null ? [] : [at(version, `the dependency ${key}`)];
  });
}

/** The entries of a Cargo.lock that come from a path. */
function lockEntries(text) {
  const entries = text.matchAll(/^\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"\n(source = )?/gm);
  return [...entries]
    .filter(([, , , source]) => source === undefined)
    .map((entry) => ({ name: entry[1], version: entry[2], start: entry.index + entry[0].indexOf('version = "') + 'version = "'.length }));
}

function lockPlaces(file, text, own) {
  return lockEntries(text)
    .filter(({ name }) => own.has(name))
    .map(({ name, version, start }) => ({ file, line: lineOf(text, start), start, found: version, what: name }));
}

/** Reads only what `npm` and `JSON.stringify` write: a member a line, two blanks for each level. */
function jsonPlaces(file, text) {
  const content = JSON.parse(text);
  const { name } = content;
  const published = NPM_PACKAGES.includes(name) && content.private !== true;
  const own = NPM_PACKAGES.join("|");
  let path = [];
  const places = lines(text).flatMap(({ line, number, start }) => {
    const [, indent, key] = /^( *)"([^"]*)":/.exec(line) ?? [];
    if (key === undefined) return [];
    path = [...path.slice(0, indent.length / 2 - 1), key];
    const at = path.join(" > ");
    const version = new RegExp(String.raw`:\s*${REQUIREMENT}`, "d").exec(line);
    if (version === null) return [];
    if (published && /^(packages >  > )?version$/.test(at)) return [place(file, number, start, version, name)];
    const dependency = new RegExp(`^(?:packages >  > )?(?:\\w+D|d)ependencies > (${own})$`).exec(at)?.[1];
    return dependency === undefined ? [] : [place(file, number, start, version, `the dependency ${dependency}`)];
  });
  const dependencies = places.filter(({ what }) => what !== name).length;
  if (dependencies !== ownDependencies(content)) throw new Error(`${file}: expected a line for each member, as npm writes it`);
  return places;
}

/** How many dependencies on our npm packages name a version. */
function ownDependencies(content) {
  const groups = [content, content.packages?.[""] ?? {}].flatMap((part) => Object.entries(part));
  const versions = groups.filter(([key]) => /dependencies$/i.test(key)).flatMap(([, group]) => NPM_PACKAGES.map((own) => group[own]));
  return versions.filter((version) => version !== undefined && new RegExp(`^${REQUIREMENT}$`).test(JSON.stringify(version))).length;
}

/** A place from a match of `REQUIREMENT`: the last group that matched is the version. */
function place(file, line, start, match, what) {
  const group = match.findLastIndex((value) => value !== undefined);
  return { file, line, start: start + match.indices[group][0], found: match[group], what };
}

function lines(text) {
  let start = 0;
  return text.split("\n").map((line, index) => {
    const found = { line, number: index + 1, start };
    start += line.length + 1;
    return found;
  });
}

function lineOf(text, offset) {
  return text.slice(0, offset).split("\n").length;
}

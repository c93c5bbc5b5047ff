// The sections of a document that has one for each version: "## Unreleased", then "## 0.2.0 – 2026-12-01". Pure.

const UNRELEASED = /^## Unreleased[^\n]*\n/m;

/** The heading of a version, with or without a date. */
const RELEASED = /^## (\d+\.\d+\.\d+\S*)/m;

/** The version of the first heading that names one, or undefined. */
export function newestVersion(text) {
  return RELEASED.exec(text)?.[1];
}

/** What stands under "## Unreleased"; undefined without such a heading. */
export function unreleased(text) {
  const heading = UNRELEASED.exec(text);
  return heading === null ? undefined : sectionFrom(text, heading.index + heading[0].length);
}

/** What stands under the heading of a version; empty without one. */
export function notesOf(text, version) {
  const heading = [...text.matchAll(/^## (\S+)[^\n]*\n/gm)].find(([, named]) => named === version);
  return heading === undefined ? "" : sectionFrom(text, heading.index + heading[0].length).trim();
}

function sectionFrom(text, start) {
  const end = text.slice(start).search(/^## /m);
  return end === -1 ? text.slice(start) : text.slice(start, start + end);
}

/** The document after the release: what was unreleased stands under the version. Unchanged if there was nothing. */
export function release(text, version, date) {
  if (!unreleased(text)?.trim()) return text;
  return text.replace(UNRELEASED, () => `## Unreleased\n\n## ${version} – ${date}\n`);
}

/** Whether `version` is lower than `other`. Of two that differ only after the "-", the one with a suffix is lower. */
export function isOlder(version, other) {
  const [core, suffix] = split(version);
  const [otherCore, otherSuffix] = split(other);
  const differing = core.findIndex((number, place) => number !== otherCore[place]);
  if (differing !== -1) return core[differing] < otherCore[differing];
  return suffix !== "" && otherSuffix === "";
}

function split(version) {
  const [core, ...suffix] = version.split("-");
  return [core.split(".").map(Number), suffix.join("-")];
}

// What `make gateway-scopes` prints.

import { digest } from "./canonical.mjs";
import { comparePins, compareTable, TABLES, tableOf, tooLong } from "./compare.mjs";
import { propose, scopePrefix, tableText, unusable, useOf } from "./propose.mjs";
import { decide, needsOf } from "./table.mjs";
import { safe, tableLines, wrap } from "./text.mjs";
import { settingLines } from "./toml.mjs";

const TITLES = { tools: "Tools", prompts: "Prompts", resources: "Resources", templates: "Resource templates" };
const COLUMNS = { tools: "tool", prompts: "prompt", resources: "resource", templates: "template" };
const HINTS = { read: "reads", delete: "deletes", write: "" };
const LIMITS = { tools: [34, 7, 24], prompts: [34, 24], resources: [44, 24], templates: [44, 24] };

const settingOf = (kind) => Object.keys(TABLES).find((setting) => TABLES[setting].includes(kind));
const proposalOf = (setting) => ({ TOOL_SCOPES: "tools", PROMPT_SCOPES: "prompts", RESOURCE_SCOPES: "resources" })[setting];

/**
 * @param {object} examined
 * @param {string} examined.url
 * @param {import("./offer.mjs").Offer} examined.offer
 * @param {Record<string, string>} examined.settings  of wrangler.toml
 * @param {string} examined.file  its name
 * @param {string} [examined.prefix]  of the proposed scopes
 * @returns {{lines: string[], isFitting: boolean}}  whether the settings, where there are some, fit the upstream
 */
export function report({ url, offer, settings, file, prefix = scopePrefix(offer.name) }) {
  const proposal = propose(offer, prefix);
  const lines = ["", `${safe(offer.server) || "An upstream without a name"} at ${safe(url)}`, ...eraLines(offer.revisions), ...offer.notes.flatMap((note) => wrap(`! ${safe(note)}`.split(" "), { indent: 2 }))];
  for (const kind of Object.keys(TITLES).filter((each) => offer[each].length > 0)) {
    const setting = settingOf(kind);
    const text = settings[setting]?.trim();
    lines.push(...listLines(kind, offer[kind], tableOf(setting, text || tableText(proposal[proposalOf(setting)].entries)), text ? "a caller needs" : "proposed"));
  }

  const tables = Object.keys(TABLES).filter((setting) => settings[setting]?.trim());
  const found = tables.flatMap((setting) => differences(setting, settings[setting], offer, proposal));
  if (tables.length > 0) lines.push("", `${tables.join(", ")} in ${file}`, ...(found.length > 0 ? found : ["  ✓ cover what the upstream offers, and nothing else"]));

  const unset = Object.keys(TABLES).filter((setting) => !tables.includes(setting));
  const missing = unset.filter((setting) => proposal[proposalOf(setting)].entries.length > 0);
  if (missing.length > 0) {
    lines.push("", `Proposed for ${/\.jsonc?$/.test(file) ? `"vars"` : "[vars]"} in ${file}. The hints are the upstream's own words: read the table before you use it.`, "");
    for (const setting of missing) lines.push(...proposedLines(setting, proposal[proposalOf(setting)].entries, file));
  }
  const notes = missing.flatMap((setting) => proposal[proposalOf(setting)].notes.flatMap((note) => entryLines("!", `${setting}: ${note}`)));
  if (notes.length > 0) lines.push("", ...notes);
  const skipped = unset.flatMap((setting) => proposal[proposalOf(setting)].skipped);
  if (skipped.length > 0) lines.push("", "Not in the proposal, and denied therefore:", ...skipped.flatMap(({ key, because }) => entryLines("·", `${safe(key) || "(no name)"}: ${because}`)));
  return { lines, isFitting: found.length === 0 };
}

function proposedLines(setting, entries, file) {
  const long = tooLong(tableText(entries)).flatMap((problem) => entryLines("!", `${setting}: ${problem}. Use patterns with *`));
  return [...settingLines(setting, entries.map(([pattern, scope]) => `${pattern}=${scope}`), file), ...long];
}

function eraLines({ modern, legacy }) {
  const only = { modern: "Clients of the handshake era cannot use it.", legacy: "Clients of both eras can use it: newer ones fall back." };
  const eras = [modern && `modern era (${safe(modern)})`, legacy && `handshake era (${safe(legacy)})`].filter(Boolean);
  const note = modern === undefined ? only.legacy : legacy === undefined ? only.modern : "";
  return [`  ${eras.join(" and ")}${note && `. ${note}`}`];
}

/** The table of one list. @param {import("./table.mjs").Table} table */
export function listLines(kind, entries, table, needsTitle) {
  const rows = entries.map(({ key, value }) => {
    const { rule } = decide(table, key);
    const needs = rule === undefined ? "– (denied)" : needsOf(rule);
    const description = value.description ?? value.title ?? (table.isUris ? value.name : "");
    return kind === "tools" ? [key, HINTS[useOf(value)], needs, description] : [key, needs, description];
  });
  const head = kind === "tools" ? [COLUMNS[kind], "hint", needsTitle, "description"] : [COLUMNS[kind], needsTitle, "description"];
  return ["", `${TITLES[kind]} (${entries.length})`, ...tableLines(head, rows, LIMITS[kind])];
}

function differences(setting, text, offer, proposal) {
  const entries = TABLES[setting].flatMap((kind) => offer[kind]);
  const { problems, uncovered, denied, unused } = compareTable(setting, text, entries);
  const proposed = new Map(proposal[proposalOf(setting)].entries);
  return [
    ...problems.flatMap((problem) => entryLines("✗", `${setting}: ${problem}. The Worker responds with 500`)),
    ...uncovered.flatMap((key) => entryLines("!", `not covered, and denied therefore: ${key}${proposed.has(key) ? ` (proposed: ${proposed.get(key)})` : ""}`)),
    ...denied.flatMap((reason) => entryLines("!", `denied: ${reason}`)),
    ...unused.flatMap((pattern) => entryLines("·", `${setting}: nothing of the upstream's matches ${pattern}`)),
  ];
}

const entryLines = (sign, text) => wrap(`${sign} ${safe(text)}`.split(" "), { indent: 2 });

/**
 * The lines of `--pins`.
 * @param {{offer: import("./offer.mjs").Offer, settings: Record<string, string>, file: string}} examined
 * @returns {{lines: string[], isFitting: boolean}}
 */
export function pinsReport({ offer, settings, file }) {
  const reasonOf = ({ key, raw }) => (/^$|[\s\p{C}]/u.test(key) ? unusable(key) : digest(raw) === undefined ? "its definition has no canonical form" : undefined);
  const usable = offer.tools.filter((tool) => reasonOf(tool) === undefined);
  const lines = [];
  let isFitting = true;
  if (settings.TOOL_PINS?.trim()) {
    const { problems, changed, unpinned, gone } = comparePins(settings.TOOL_PINS, offer.tools);
    const found = [
      ...problems.flatMap((problem) => entryLines("✗", `${problem}. The Worker responds with 500`)),
      ...changed.flatMap((name) => entryLines("!", `changed since it was approved: ${name}`)),
      ...unpinned.flatMap((name) => entryLines("!", `not approved: ${name}`)),
      ...gone.flatMap((name) => entryLines("·", `no longer there: ${name}`)),
    ];
    isFitting = found.length === 0;
    lines.push("", `TOOL_PINS in ${file}`, ...(isFitting ? ["  ✓ approve what the upstream offers, and nothing else"] : found));
  }
  lines.push("", "The definitions as they are now. Read descriptions and schemas before you approve them:", "");
  const entries = usable.map(({ key, raw }) => `${key}=${digest(raw)}`);
  lines.push(...settingLines("TOOL_PINS", entries, file), ...tooLong(entries.join(" ")).flatMap((problem) => entryLines("!", `TOOL_PINS: ${problem}`)));
  const skipped = offer.tools.filter((tool) => !usable.includes(tool));
  if (skipped.length > 0) lines.push("", "Cannot be pinned, and are hidden therefore:", ...skipped.flatMap((tool) => entryLines("·", `${tool.key || "(no name)"}: ${reasonOf(tool)}`)));
  return { lines, isFitting };
}

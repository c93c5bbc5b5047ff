// The places where a project runs: this machine, staging and production.
//
// Wrangler inherits neither variables nor bindings from the top of a configuration, so every place lists all of its own.

import { Comment } from "../jsonc.mjs";
import { COMPATIBILITY_DATE } from "../versions.mjs";

/** Where the documentation is, from the root of the project. */
export const DOCS = "node_modules/mcp-edge/docs";

/** The Worker of a part of the project at a place; the endpoint has no part. */
export const workerName = ({ name }, part, place) => [name, part, place === "production" ? undefined : place].filter(Boolean).join("-");

/**
 * The environments of a configuration.
 * @param {import("../answers.mjs").Answers} answers
 * @param {string | undefined} part
 * @param {(place: "production" | "staging") => (Comment | [string, unknown])[]} membersOf
 */
export const environments = (answers, part, membersOf) => [
  "env",
  ["production", "staging"].map((place) => [place, [["name", workerName(answers, part, place)], ...membersOf(place)]]),
];

/** What is the same in every configuration. */
export function head(answers, { part, folder, flags }) {
  const up = part === undefined ? "" : "../";
  return [
    ["$schema", `${up}node_modules/wrangler/config-schema.json`],
    new Comment("For this machine. Deployments have names of their own, below."),
    ["name", workerName(answers, part, "local")],
    ["main", `${up}node_modules/mcp-edge/workers/${folder}/index.js`],
    ["compatibility_date", COMPATIBILITY_DATE],
    ...(flags === undefined ? [] : [["compatibility_flags", flags]]),
  ];
}

/** The resource at a place; empty if it is left for later. */
export const resourceAt = ({ resource, stagingResource }, place) => (place === "production" ? resource : stagingResource);

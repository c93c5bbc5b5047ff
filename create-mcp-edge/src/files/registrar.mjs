// registrar/wrangler.jsonc: third-party clients register at Logto.

import { Comment, jsonc } from "../jsonc.mjs";
import { DOCS, environments, head, resourceAt } from "./places.mjs";

const BINDINGS = [
  ["kv_namespaces", [{ binding: "REGISTRATIONS" }, { binding: "JWKS" }]],
  ["durable_objects", [["bindings", [{ name: "LEDGER", class_name: "RegistrationLedger" }]]]],
];

/** @param {import("../answers.mjs").Answers} answers */
export const registrarConfig = (answers) => jsonc([
  new Comment(`The registrar: developers register their agents at Logto. ../${DOCS}/registrar.md leads through the set-up and explains
all settings.
`),
  ...head(answers, { part: "registrar", folder: "registrar" }),
  ["observability", { enabled: true }],
  new Comment("The scheduled run that ends unused registrations."),
  ["triggers", { crons: ["7 * * * *"] }],
  ["migrations", [{ tag: "v1", new_sqlite_classes: ["RegistrationLedger"] }]],
  ...BINDINGS,
  new Comment(""),
  environments(answers, "registrar", (place) => [
    ...(place === "production" ? [new Comment("Both namespaces must be this Worker's alone. Wrangler makes them at the first deployment.")] : []),
    ...BINDINGS,
    ["vars", variables(answers, place)],
  ]),
]);

function variables(answers, place) {
  const comment = (text) => (place === "production" ? [new Comment(text)] : []);
  const tenant = /^https:\/\/[^/]+\.logto\.app(?=\/)/.exec(answers.issuer)?.[0];
  return [
    ["ISSUER", answers.issuer],
    ...comment("https://<this Worker's host>/register; the same string is an API resource at Logto, with the permission apps:write."),
    ["RESOURCE", ""],
    ["REQUIRED_SCOPES", "apps:write"],
    ...comment("Logto's Management API. MANAGEMENT_RESOURCE is empty at Logto Cloud; self-hosted: https://default.logto.app/api. Secrets:\nMANAGEMENT_CLIENT_ID and MANAGEMENT_CLIENT_SECRET, which grant administration of the tenant."),
    ["MANAGEMENT_API", tenant === undefined ? "" : `${tenant}/api`],
    ["MANAGEMENT_RESOURCE", ""],
    ...comment("RESOURCE of the endpoint, and what clients may ask users for."),
    ["MCP_RESOURCE", resourceAt(answers, place)],
    ["CLIENT_SCOPES", answers.mode === "gateway" ? "profile" : "profile whoami:read"],
    ...comment(`Who may register: "developers" who are signed in, "token": who has an initial access token, "open": anybody.`),
    ["REGISTRATION", "developers"],
    ...comment(`"on" removes unused clients, "dry-run" only reports them.`),
    ["CLEANUP", "dry-run"],
    ...comment("The portal's own application at Logto. Empty: no portal. Secrets: PORTAL_CLIENT_SECRET and SESSION_SECRET."),
    ["PORTAL_CLIENT_ID", ""],
  ];
}

// vault/wrangler.jsonc: access keys and connected accounts.

import { Comment, jsonc } from "../jsonc.mjs";
import { COMPATIBILITY_FLAGS } from "../versions.mjs";
import { DOCS, environments, head, resourceAt } from "./places.mjs";

const OBJECTS = {
  KEYS: "KeyObject",
  ACCOUNTS: "AccountObject",
  PERSONAL_TOKENS: "PersonalTokenObject",
  CONNECTED_ACCOUNTS: "ConnectedAccountsObject",
  REGISTRATIONS: "RegistrationObject",
};

const BINDINGS = [
  ["kv_namespaces", [{ binding: "VAULT_STORE" }]],
  ["durable_objects", [["bindings", Object.entries(OBJECTS).map(([name, class_name]) => ({ name, class_name }))]]],
];

/** @param {import("../answers.mjs").Answers} answers */
export const vaultConfig = (answers) => jsonc([
  new Comment(`The vault: access keys and connected accounts. ../${DOCS}/keys.md leads through the set-up, connections.md beside it
through connected accounts. Deploy it before the endpoint that binds it; \`npm run deploy\` does.
`),
  ...head(answers, { part: "vault", folder: "vault", flags: COMPATIBILITY_FLAGS }),
  new Comment("No address of its own: the endpoint passes /account on. Never give it a route."),
  ["workers_dev", false],
  ["preview_urls", false],
  ["observability", { enabled: true }],
  ["migrations", [
    { tag: "v1", new_sqlite_classes: ["KeyObject", "AccountObject", "PersonalTokenObject"] },
    { tag: "v2", new_sqlite_classes: ["ConnectedAccountsObject", "RegistrationObject"] },
  ]],
  new Comment("\nThis machine: `npm run dev` sets the variables."),
  ...BINDINGS,
  new Comment(""),
  environments(answers, "vault", (place) => [
    ...(place === "production" ? [new Comment("VAULT_STORE must be this Worker's alone. Wrangler makes the namespace at the first deployment.")] : []),
    ...BINDINGS,
    ["vars", variables(answers, place)],
  ]),
]);

function variables(answers, place) {
  const comment = (text) => (place === "production" ? [new Comment(text)] : []);
  return [
    ...comment("As at the endpoint, byte for byte, and so is everything else that it sets about tokens and clients."),
    ["PROVIDER", answers.provider],
    ["ISSUER", answers.issuer],
    ["RESOURCE", resourceAt(answers, place)],
    ...(answers.mode === "whoami" ? [["REQUIRED_SCOPES", "whoami:read"]] : [
      ...comment("The scopes that users may choose from for their keys."),
      ["KEY_SCOPES", ""],
    ]),
    ...comment(`A confidential client at the provider with the redirect URI https://<host of RESOURCE>/account/callback. Its secret is
VAULT_CLIENT_SECRET; VAULT_SECRET is 32 random characters or more: npx wrangler secret put NAME --config vault/wrangler.jsonc --env production`),
    ["VAULT_CLIENT_ID", ""],
  ];
}

// wrangler.jsonc: the endpoint.

import { isOnThisMachine } from "../checks.mjs";
import { Comment, jsonc } from "../jsonc.mjs";
import { COMPATIBILITY_FLAGS } from "../versions.mjs";
import { DOCS, environments, head, resourceAt, workerName } from "./places.mjs";

const SCOPES = [
  ["REQUIRED_SCOPES", "whoami:read"],
  ["CLAIM_SCOPES", "whoami:read=username,name,email,email_verified,picture"],
];

/** @param {import("../answers.mjs").Answers} answers */
export const endpointConfig = (answers) => jsonc([
  new Comment(`The endpoint: bindings and settings. ${DOCS} explains all settings, also those that are not here.
Invalid settings make every request fail with 500; the log says how to fix them (npx wrangler tail --env production).
Wrangler inherits neither variables nor bindings: each of the three places, this machine, production and staging, has its own.
`),
  ...head(answers, { folder: "endpoint", flags: COMPATIBILITY_FLAGS }),
  ["observability", { enabled: true }],
  new Comment("\nThis machine: `npm run dev` sets PROVIDER, ISSUER and RESOURCE itself."),
  ...bindings(answers, "local"),
  ["vars", answers.mode === "gateway" ? [
    new Comment("Your MCP server, as it is reached from this machine. Without tables of scopes, `npm run dev` proposes some."),
    ["UPSTREAM", answers.upstream],
  ] : SCOPES],
  new Comment("\nDeployments: `npm run deploy`, `npm run deploy:staging`."),
  environments(answers, undefined, (place) => [
    ...route(answers, place),
    ...bindings(answers, place),
    ["vars", variables(answers, place)],
  ]),
]);

/** A host of the operator's own needs a route; one at workers.dev does not. */
function route(answers, place) {
  const resource = resourceAt(answers, place);
  if (resource === "") return place === "production" ? [new Comment(`A host of a zone of yours: "routes": [{ "pattern": "mcp.example.com", "custom_domain": true }],`)] : [];
  const { hostname } = new URL(resource);
  return hostname.endsWith(".workers.dev") ? [] : [["routes", [{ pattern: hostname, custom_domain: true }]]];
}

function bindings(answers, place) {
  const service = workerName(answers, "vault", place);
  return [
    ...(place === "production" ? [new Comment("The provider's keys, shared by all locations. Wrangler makes the namespace at the first deployment.")] : []),
    ["kv_namespaces", [{ binding: "JWKS" }]],
    ...(answers.vault ? [
      ...(place === "production" ? [new Comment("The vault: its pages at /account, and the calls that exchange keys.")] : []),
      ["services", [{ binding: "VAULT", service }, { binding: "VAULT_CALLS", service, entrypoint: "Internal", props: { role: "endpoint" } }]],
    ] : []),
  ];
}

function variables(answers, place) {
  const comment = (text) => (place === "production" ? [new Comment(text)] : []);
  return [
    ...comment(`How the provider's tokens are read, and who counts as a user: ${DOCS}/providers.`),
    ["PROVIDER", answers.provider],
    ...comment("The issuer, exactly as in the provider's discovery document."),
    ["ISSUER", answers.issuer],
    ...comment("The URL of the endpoint. Register the same string, byte for byte, as the API resource (audience) at the provider."),
    ...(place === "staging" ? [new Comment("Another URL than that of production: a token for one must not be accepted by the other.")] : []),
    ["RESOURCE", resourceAt(answers, place)],
    ...(answers.mode === "gateway" ? gatewayVariables(answers, comment) : [
      ...comment("The scopes that every request needs, and which claims a scope discloses."),
      ...SCOPES,
    ]),
  ];
}

function gatewayVariables({ upstream }, comment) {
  return [
    ...comment(`Your MCP server, as it is reached from Cloudflare: ${DOCS}/gateway.md.`),
    ["UPSTREAM", isOnThisMachine(upstream) ? "" : upstream],
    ...comment("Who may use what; nobody may use what no entry matches. `npm run gateway-scopes -- URL` proposes all three."),
    ["TOOL_SCOPES", ""],
    ["PROMPT_SCOPES", ""],
    ["RESOURCE_SCOPES", ""],
  ];
}

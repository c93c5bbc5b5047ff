// What programs say in a project that has the package mcp-edge.

import assert from "node:assert/strict";
import { test } from "node:test";
import { localized } from "./surroundings.mjs";

const inProject = (text, environment) => localized(text, { inPackage: true, environment });

test("in this repository nothing changes", () => {
  const text = "make dev UPSTREAM=http://localhost:3001/mcp, dev/with-tools wrangler login, wrangler.toml";
  assert.equal(localized(text, { inPackage: false, environment: "production" }), text);
});

test("commands of make become those of the package", () => {
  for (const [here, there] of [
    ['start the server with "make dev" in another terminal', 'start the server with "npx mcp-edge dev" in another terminal'],
    ["PORT=8788 make dev.", "npx mcp-edge dev --port 8788."],
    ["choose another: VAULT_PORT=8790 make dev", "choose another: npx mcp-edge dev --vault-port 8790"],
    ["IDP_PORT=3001 make dev UPSTREAM=http://localhost:3001/mcp", "npx mcp-edge dev --upstream http://localhost:3001/mcp --idp-port 3001"],
    ["    PORT=8788 make whoami", "    npx mcp-edge whoami http://localhost:8788/mcp"],
    ['PORT=8788 make call ARGS="greet"', "npx mcp-edge call greet --url http://localhost:8788/mcp"],
    ["UPSTREAM_AUTH=secret UPSTREAM_SECRET='Bearer …' make dev UPSTREAM=http://localhost:3001/mcp", "npx mcp-edge dev --upstream http://localhost:3001/mcp with UPSTREAM_AUTH=secret and UPSTREAM_SECRET='Bearer …' in its environment"],
    ["Write one: TOOL_SCOPES='*=allow' make dev", "Write one: npx mcp-edge dev with TOOL_SCOPES='*=allow' in its environment"],
    ["make dev UPSTREAM=http://localhost:3001/mcp", "npx mcp-edge dev --upstream http://localhost:3001/mcp"],
    ["make gateway-keys ARGS=--rotate", "npx mcp-edge gateway-keys --rotate"],
    ['make keys ARGS="list --subject <id of a user>"', "npx mcp-edge keys list --subject <id of a user>"],
    ["make logto ENDPOINT=https://<tenant>.logto.app RESOURCE=https://mcp.example.com/mcp", "npx mcp-edge logto https://<tenant>.logto.app https://mcp.example.com/mcp"],
    ["make gateway-scopes URL=https://upstream.example.com/mcp", "npx mcp-edge gateway-scopes https://upstream.example.com/mcp"],
    ["run again (make deploy).", "run again (npm run deploy)."],
    ["Correct it in wrangler.toml.", "Correct it in wrangler.jsonc."],
    ["dev/with-tools wrangler login, or CLOUDFLARE_API_TOKEN", "npx wrangler login, or CLOUDFLARE_API_TOKEN"],
    ["it makes a make of it", "it makes a make of it"],
  ]) assert.equal(inProject(here), there);
});

test("commands about a deployment name its environment", () => {
  for (const [here, there] of [
    ["make gateway-keys ARGS=--rotate", "npx mcp-edge gateway-keys --env production --rotate"],
    ["  dev/with-tools wrangler secret put A --config wrangler.toml < a && rm a", "  npx wrangler secret put A --config wrangler.jsonc --env production < a && rm a"],
    ["make whoami", "npx mcp-edge whoami"],
    ["make deploy", "npm run deploy"],
  ]) assert.equal(inProject(here, "production"), there);
  assert.equal(inProject("make deploy", "staging"), "npm run deploy:staging");
});

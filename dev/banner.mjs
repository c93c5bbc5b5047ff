// The message of `make dev` when everything runs: URLs, accounts and commands.

import { accessLines, upstreamLines } from "./gateway/local-banner.mjs";
import { LOCAL_ACCOUNTS } from "./identity-provider/index.mjs";

const DEFAULT_PORT = 8787;

/** @param {{mcpUrl: string, port: number, issuer: string, adminSecret?: string, changes: string, gateway?: import("./gateway/local.mjs").LocalGateway, example?: import("./examples/index.mjs").Example}} running */
export function banner({ mcpUrl, port, issuer, adminSecret, changes, gateway, example }) {
  const { origin } = new URL(mcpUrl);
  const accounts = LOCAL_ACCOUNTS.map(({ username, password }) => `${username} / ${password}`).join("   ");
  const elsewhere = port === DEFAULT_PORT ? "" : `PORT=${port} `;
  return `
  ──────────────────────────────────────────────────────────────────────────

  Start here     ${origin}/
  Sign in as     ${accounts}
  MCP endpoint   ${mcpUrl}
${adminSecret === undefined ? "" : `  Access keys    ${origin}/account/keys\n`}${gateway === undefined ? "" : `${accessLines(gateway).join("\n")}\n`}${example === undefined ? "" : `${example.lines({ origin, elsewhere }).join("\n")}\n`}
  Connect a client, in a second terminal:

    ${elsewhere}make whoami
    claude mcp add --transport http mcp-edge ${mcpUrl}
    npx @modelcontextprotocol/inspector --transport http --server-url ${mcpUrl}

${adminSecret === undefined ? "" : `  Look at access keys as their operator; it asks for ADMIN_SECRET, which is "${adminSecret}"

    make keys ARGS="list --subject <id of a user>" URL=${mcpUrl}

`}  Pages

    ${origin}/.well-known/oauth-protected-resource/mcp
    ${issuer}/.well-known/openid-configuration
${gateway?.auth === "assertion" ? `    ${origin}/.well-known/jwks.json\n` : ""}${gateway === undefined ? "" : `${upstreamLines(gateway, mcpUrl).join("\n")}\n`}
  ${changes} Ctrl-C stops everything.

  ──────────────────────────────────────────────────────────────────────────
`;
}

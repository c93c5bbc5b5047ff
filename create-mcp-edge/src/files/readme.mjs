// README.md of a project: from `npm run dev` to production, for what this project has.

import { isOnThisMachine } from "../checks.mjs";
import { PROVIDERS } from "../providers.mjs";
import { DOCS, resourceAt, workerName } from "./places.mjs";

const SECRET = `node -e "console.log(require('crypto').randomBytes(32).toString('base64'))"`;

/** @param {import("../answers.mjs").Answers} answers */
export const readme = (answers) => `${[
  title(answers),
  onThisMachine(answers),
  toProduction(answers),
  ...(answers.vault ? [withVault(answers)] : []),
  ...(answers.registrar ? [withRegistrar(answers)] : []),
  staging(answers),
  files(answers),
].join("\n\n")}\n`;

function title({ name, mode, upstream }) {
  const what = mode === "gateway"
    ? `The gateway in front of the MCP server at ${upstream}: users sign in at your identity provider, tables of scopes decide who may use
which tool, and the server learns from a signed assertion who is calling.`
    : "An MCP server on Cloudflare Workers: users sign in at your identity provider, and agents get what they allowed. Its one tool, `whoami`,\nreturns the identity that the user agreed to share.";
  return `# ${name}

${what} It runs the prebuilt Workers of the
package [mcp-edge](node_modules/mcp-edge/README.md), and is configured by settings alone.`;
}

function onThisMachine({ mode, upstream }) {
  const first = mode === "gateway"
    ? `Start your MCP server${isOnThisMachine(upstream) ? ` (\`${upstream}\`)` : ""}. Then you need Node.js 22.12 or later, and nothing else:`
    : "You need Node.js 22.12 or later, and nothing else:";
  const result = mode === "gateway"
    ? "the consent page names the scopes and the tools that they are for"
    : "the page shows the identity that the Worker received";
  return `## On this machine

${first}

\`\`\`sh
npm install
npm run dev
\`\`\`

It starts the Worker on Cloudflare's runtime, and an identity provider with two accounts; no issuer has to be set. Open
<http://localhost:8787/>, and sign in as \`alice\` (password \`alice\`): ${result}. For the
official MCP client in a second terminal:

\`\`\`sh
npm run whoami
\`\`\`

For any other MCP client, use the URL \`http://localhost:8787/mcp\`. \`npm run dev -- --port 8788 --idp-port 3001\` takes other ports.${mode === "gateway" && !isOnThisMachine(upstream) ? `
\`UPSTREAM\` at the top of [wrangler.jsonc](wrangler.jsonc) is the server that is used on this machine; it can be another than in production.` : ""}`;
}

function toProduction(answers) {
  const { issuer, provider, resource, mode, upstream, vault } = answers;
  const guide = `[the guide${provider === "generic" ? "" : ` for ${PROVIDERS[provider].title}`}](${DOCS}/providers/${provider}.md)`;
  const open = [provider === "generic" && issuer === "" && "PROVIDER", issuer === "" && "ISSUER", resource === "" && "RESOURCE", mode === "gateway" && isOnThisMachine(upstream) && "UPSTREAM"].filter(Boolean);
  const url = resource === "" ? "<RESOURCE>" : resource;
  const origin = resource === "" ? "https://<host of RESOURCE>" : new URL(resource).origin;
  const steps = [
    ...(open.length === 0 ? [] : [`**Fill in** ${list(open.map((name) => `\`${name}\``))} in [wrangler.jsonc](wrangler.jsonc), below \`production\`${vault ? " (and in vault/wrangler.jsonc)" : ""}. The comments say what each is.${resource === "" ? ` Without a domain of your own,
   \`RESOURCE\` is \`https://${workerName(answers, undefined, "production")}.<your subdomain>.workers.dev/mcp\`; with one, add its route, too.` : ""}`]),
    ...(mode === "gateway" ? [`**Propose tables** of scopes, read them, and put them into wrangler.jsonc: \`npm run gateway-scopes${isOnThisMachine(upstream) ? ` -- ${upstream}` : ""}\`.`] : []),
    provider === "logto"
      ? `**Set Logto up:** create a machine-to-machine application with the role *Logto Management API access* in its console. Then
   \`npm run logto -- ${issuer === "" ? "https://<tenant>.logto.app" : new URL(issuer).origin} ${url}\` shows what it will create, asks, and creates it.
   Users need the role that it makes. ${guide.replace("[the", "[The")} has all steps, also those by hand.`
      : `**Set ${provider === "generic" ? "your provider" : PROVIDERS[provider].title} up** as ${guide} says: the API (audience) \`${url}\`${mode === "whoami" ? " and the scope `whoami:read`" : " and the scopes of the tables"}.`,
    "**Log in** at Cloudflare: `npx wrangler login`.",
    ...(mode === "gateway" ? ["**Make the keys:** `npm run gateway-keys` puts the secrets `UPSTREAM_SIGNING_KEY` and `STATE_SECRET` into the Worker."] : []),
    ...(vault ? ["**Set the [vault](#the-vault) up**, which is deployed with the endpoint."] : []),
    "**Deploy:** `npm run deploy`. The first deployment makes the KV namespaces.",
    ...(mode === "gateway" ? [`**Have your server verify assertions**, so that nobody can use it without the gateway: [code for it](${DOCS}/gateway.md#code-for-your-server).`] : []),
    `**Check:** \`npm run doctor -- ${url}\`. Then connect a client: the page at \`${origin}/\` has a link or a command for each.`,
  ];
  return `## To production

${steps.map((step, index) => `${index + 1}. ${step}`).join("\n")}

Agents are bots: if your zone blocks bots (Bot Fight Mode, AI Crawl Control), exempt this host. When a request is refused,
the log says why (\`npx wrangler tail --env production\`); [all reasons](${DOCS}/denials.md).
\`npm run explain\` says what the settings make of a token: it reads it from standard input.`;
}

function withVault({ resource, mode }) {
  const origin = resource === "" ? "https://<host of RESOURCE>" : new URL(resource).origin;
  const put = (name) => `npx wrangler secret put ${name} --config vault/wrangler.jsonc --env production`;
  return `## The vault

Users make access keys at \`/account/keys\`, for programs that cannot sign in, and connect accounts of other services. On this
machine that works already. For production:

1. Create a confidential client at the provider, with the redirect URI \`${origin}/account/callback\` and refresh tokens, and put its
   id into \`VAULT_CLIENT_ID\` in [vault/wrangler.jsonc](vault/wrangler.jsonc)${mode === "gateway" ? ", and the scopes that keys may have into `KEY_SCOPES`" : ""}.
2. Put its secret, and a random one. Keep a copy of the second: with another one no key works.

   \`\`\`sh
   ${put("VAULT_CLIENT_SECRET")}
   ${put("VAULT_SECRET")}
   \`\`\`

   A random one: \`${SECRET}\`

[Access keys](${DOCS}/keys.md) and [connected accounts](${DOCS}/connections.md) have the rest.`;
}

function withRegistrar() {
  return `## The registrar

Developers register their agents at Logto, by a portal or by dynamic client registration. It is a Worker of its own, because its
secret can administer the tenant. [Its guide](${DOCS}/registrar.md) leads through the set-up; the settings are in
[registrar/wrangler.jsonc](registrar/wrangler.jsonc), and \`npm run deploy:registrar\` deploys it. \`npm run dev\` does not
start it: it needs a tenant at Logto.`;
}

function staging(answers) {
  const empty = resourceAt(answers, "staging") === "";
  return `## Staging

\`npm run deploy:staging\` deploys \`${workerName(answers, undefined, "staging")}\`, a Worker with settings, namespaces and secrets of its own: those below
\`staging\` in wrangler.jsonc.${empty ? " Fill in its `RESOURCE`, another URL than that of production, and register it at the provider." : " Register its `RESOURCE` at the provider."} Commands that
are for production by default take \`--env staging\`: \`npx mcp-edge ${answers.mode === "gateway" ? "gateway-keys" : answers.provider === "logto" ? "logto" : "explain"} --env staging\`.`;
}

function files({ vault, registrar }) {
  const rows = [
    ["wrangler.jsonc", "the endpoint: settings of this machine, production and staging"],
    ...(vault ? [["vault/wrangler.jsonc", "the vault"]] : []),
    ...(registrar ? [["registrar/wrangler.jsonc", "the registrar"]] : []),
    [".dev.vars.example", "secrets that may be set on this machine"],
    ["package.json", "the commands, and the versions of mcp-edge and wrangler"],
  ];
  return `## Files

| file | what it is |
|---|---|
${rows.map(([file, what]) => `| [${file}](${file}) | ${what} |`).join("\n")}

To update, raise the version of \`mcp-edge\` in package.json, run \`npm install\`, and read its
[CHANGELOG](node_modules/mcp-edge/CHANGELOG.md). \`npx mcp-edge --help\` lists all commands.`;
}

const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

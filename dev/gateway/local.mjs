// The gateway of `make dev`: asks the upstream what it offers, chooses tables, and makes the settings of the Worker.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listenOnLoopback } from "../identity-provider/listen.mjs";
import { Problem } from "../logto/problem.mjs";
import { readSettings } from "../logto/wrangler-toml.mjs";
import { TABLES, tableOf } from "./compare.mjs";
import { writeEnvFile } from "./env-file.mjs";
import { assertionFor, loadOrCreateLocalKeys, localKeysFile } from "./local-keys.mjs";
import { Absent, readOffer, Refused } from "./offer.mjs";
import { describeScopes, propose, scopePrefix, tableText } from "./propose.mjs";
import { checkUpstream, headerFrom } from "./scopes-options.mjs";
import { publicPart } from "./signing-key.mjs";
import { KEYWORDS } from "./table.mjs";
import { safe, wordsOf } from "./text.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const POLL_MS = 1_000;

/** Settings that the environment, and after it wrangler.toml, may have. */
const PASSED = ["UPSTREAM_AUTH", "UPSTREAM_AUDIENCE", "UPSTREAM_SECRET_HEADER", "UPSTREAM_SECONDS", "TASK_SCOPES", "LIST_TOOLS", "TOOL_PINS"];
const PROPOSED = { TOOL_SCOPES: "tools", PROMPT_SCOPES: "prompts", RESOURCE_SCOPES: "resources" };

// What wrangler.toml asks for the tool `whoami`, which an upstream has not.
const SCOPE_OF_WHOAMI = "whoami:read";

/**
 * @typedef {object} LocalGateway
 * @property {string} url
 * @property {string} audience
 * @property {string} auth
 * @property {import("./offer.mjs").Offer} offer
 * @property {Record<string, import("./table.mjs").Table>} tables  by setting
 * @property {Record<string, string>} vars   settings of the Worker
 * @property {string[]} envFiles             with its secrets
 * @property {Record<string, string>} scopes  name → description, for the provider
 * @property {boolean} isProposed            whether this program has chosen the tables
 * @property {string[]} skipped              what the proposed tables leave out
 * @property {string[]} notes                what the operator should know of their patterns
 *
 * The gateway that the environment or wrangler.toml asks for; undefined if there is none.
 * @param {{env: Record<string, string | undefined>, mcpUrl: string, port: number, print: (line: string) => void, root?: string, settings?: Record<string, string>}} surroundings
 *   `root`: the folder of the configuration; `settings`: its variables, if they are read already
 * @returns {Promise<LocalGateway | undefined>}
 * @throws {Problem} if the upstream cannot be used
 */
export async function prepareGateway({ env, mcpUrl, port, print, root = ROOT, settings }) {
  settings ??= readSettings(await readFile(join(root, "wrangler.toml"), "utf8"));
  const valueOf = (name) => env[name] || settings[name] || "";
  if (valueOf("UPSTREAM") === "") return undefined;
  const url = checkUpstream(valueOf("UPSTREAM"), { name: "UPSTREAM" });
  if (url.replace(/\/$/, "") === mcpUrl) throw new Problem(`UPSTREAM is ${mcpUrl}, the gateway itself`, { fix: "Give the URL of your server, or move the gateway: PORT=8788 make dev." });

  const keys = await loadOrCreateLocalKeys(mcpUrl, localKeysFile(root));
  const auth = valueOf("UPSTREAM_AUTH") || "assertion";
  const audience = valueOf("UPSTREAM_AUDIENCE") || url;
  const secret = auth === "secret" ? secretOf(env, valueOf("UPSTREAM_SECRET_HEADER") || "authorization") : undefined;
  const offer = await askUpstream({ url, port, keys, auth, audience, secret, isOfSettings: !env.UPSTREAM, print });

  const proposal = propose(offer, scopePrefix(offer.name));
  const chosen = Object.keys(TABLES).map((setting) => [setting, valueOf(setting) || tableText(proposal[PROPOSED[setting]].entries)]);
  const tables = Object.fromEntries(chosen.map(([setting, text]) => [setting, tableOf(setting, text)]));
  for (const [setting, { problems }] of Object.entries(tables)) {
    const fix = valueOf(setting) === "" ? `This table was proposed, wrongly. Write one: ${setting}='*=allow' make dev` : "Correct it, or leave it out: a table is proposed then.";
    if (problems.length > 0) throw new Problem(`${setting}: ${problems[0]}`, { fix });
  }
  const proposed = Object.keys(TABLES).filter((setting) => valueOf(setting) === "");
  const passed = PASSED.filter((name) => valueOf(name) !== "").map((name) => [name, valueOf(name)]);
  const required = env.REQUIRED_SCOPES ?? (settings.REQUIRED_SCOPES === SCOPE_OF_WHOAMI ? "" : (settings.REQUIRED_SCOPES ?? ""));
  const secrets = { STATE_SECRET: keys.stateSecret, ...(auth === "assertion" && { UPSTREAM_SIGNING_KEY: JSON.stringify(keys.signingKey) }), ...(secret && { UPSTREAM_SECRET: secret.value }) };
  const secretsFile = join(root, ".wrangler/gateway/secrets.env");
  await writeEnvFile(secretsFile, secrets);
  const ownFile = join(root, ".dev.vars");
  return {
    url,
    audience,
    auth,
    offer,
    tables,
    vars: { UPSTREAM: url, ...Object.fromEntries([...passed, ...chosen]), REQUIRED_SCOPES: required, RESOURCE_NAME: `${safe(offer.name).slice(0, 60) || "An MCP server"} (local)` },
    // Those of the project first: wrangler reads them only if no other file is named.
    envFiles: [...(existsSync(ownFile) ? [ownFile] : []), secretsFile],
    scopes: scopesOf({ offer, tables, required, tasks: valueOf("TASK_SCOPES") }),
    isProposed: proposed.length > 0,
    skipped: proposed.flatMap((setting) => proposal[PROPOSED[setting]].skipped).map(({ key, because }) => `${key}: ${because}`),
    notes: proposed.flatMap((setting) => proposal[PROPOSED[setting]].notes.map((note) => `${setting}: ${note}`)),
  };
}

function secretOf(env, header) {
  if (!env.UPSTREAM_SECRET) throw new Problem("UPSTREAM_SECRET is missing", { why: 'UPSTREAM_AUTH is "secret".', fix: "Set it in the environment, to the whole value of the header: UPSTREAM_SECRET='Bearer …'." });
  return headerFrom(`${header}: ${env.UPSTREAM_SECRET}`);
}

/** Waits until the upstream answers. While it is asked, the key is published: the upstream may want to verify it already. */
async function askUpstream({ url, port, keys, auth, audience, secret, isOfSettings, print }) {
  const jwks = JSON.stringify({ keys: [publicPart(keys.signingKey)] });
  const publisher = await listenOnLoopback((request, response) => {
    const isKnown = request.url === "/.well-known/jwks.json";
    response.writeHead(isKnown ? 200 : 503, { "content-type": "application/json" }).end(isKnown ? jwks : "{}");
  }, port);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const headers = auth === "assertion" ? { authorization: await assertionFor(keys, audience) } : secret && { [secret.name]: secret.value };
      try {
        return await readOffer(url, { headers });
      } catch (error) {
        if (error instanceof Refused) throw new Problem(error.message, whatToDo({ url, port, auth, audience, isOfSettings }));
        if (!(error instanceof Absent)) throw error;
        if (attempt === 1) print(`Nothing answers at ${url} yet. Start your MCP server; this goes on as soon as it answers. (Ctrl-C stops)`);
        await new Promise((wake) => setTimeout(wake, POLL_MS));
      }
    }
  } finally {
    await publisher.close();
  }
}

/** What helps if the upstream refuses what it is shown. @returns {{why: string, fix: string}} */
function whatToDo({ url, port, auth, audience, isOfSettings }) {
  const own = "make dev UPSTREAM=http://localhost:3001/mcp";
  // The server in production trusts the gateway in production, and not this one.
  if (isOfSettings) return { why: "UPSTREAM is that of wrangler.toml: it trusts the gateway that is deployed, and not the one on this machine.", fix: `Start your server on this machine, and name it: ${own}` };
  const origin = `http://localhost:${port}`;
  if (auth === "assertion") return { why: "It was shown an assertion of the gateway on this machine.", fix: `Have it trust the keys at ${origin}/.well-known/jwks.json, the issuer ${origin} and the audience ${audience}, and no others. If it compares a static key: UPSTREAM_AUTH=secret UPSTREAM_SECRET='Bearer …' make dev UPSTREAM=${url}` };
  if (auth === "secret") return { why: "It was shown UPSTREAM_SECRET.", fix: "Set UPSTREAM_SECRET to the whole value of the header, such as 'Bearer …', and UPSTREAM_SECRET_HEADER if it is another header than authorization." };
  return { why: `UPSTREAM_AUTH is "${auth}": it was shown nothing.`, fix: "Leave UPSTREAM_AUTH out for assertions, or set it to secret." };
}

function scopesOf({ offer, tables, required, tasks }) {
  const described = describeScopes(offer, Object.fromEntries(Object.entries(PROPOSED).map(([setting, kind]) => [kind, tables[setting]])));
  const further = [...wordsOf(required), ...tasks.split(",")].filter((name) => name !== "" && !KEYWORDS.includes(name));
  const ofTasks = Object.fromEntries(further.map((name) => [name, "Use this server"]));
  return { ...ofTasks, ...described };
}

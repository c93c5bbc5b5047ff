// What `make dev` says about its gateway: the access tables, and what is left to do in the upstream.

import { TABLES } from "./compare.mjs";
import { listLines } from "./scopes-report.mjs";
import { safe, wrap } from "./text.mjs";

/** The lines about access. @param {import("./local.mjs").LocalGateway} gateway */
export function accessLines({ url, offer, tables, isProposed, skipped, notes }) {
  const lists = Object.entries(TABLES).flatMap(([setting, kinds]) => kinds.filter((kind) => offer[kind].length > 0).flatMap((kind) => listLines(kind, offer[kind], tables[setting], "a caller needs")));
  return [
    "",
    `  Protects      ${safe(offer.server) || "a server without a name"} at ${url}`,
    ...lists.map((line) => (line === "" ? line : `  ${line}`)),
    ...(skipped.length > 0 ? ["", "  Not in the proposal, and denied therefore:", ...skipped.flatMap((each) => wrap(`· ${safe(each)}`.split(" "), { indent: 4 }))] : []),
    ...[...notes, ...offer.notes].flatMap((note) => wrap(`! ${safe(note)}`.split(" "), { indent: 2 })),
    "",
    isProposed ? `  Scopes proposed from hints; others: TOOL_SCOPES='…' make dev, and make gateway-scopes URL=${url}` : "  Scopes as TOOL_SCOPES, PROMPT_SCOPES and RESOURCE_SCOPES have them",
  ];
}

/** The lines about the upstream. @param {import("./local.mjs").LocalGateway} gateway */
export function upstreamLines({ url, audience, auth }, mcpUrl) {
  const { origin } = new URL(mcpUrl);
  if (auth !== "assertion") {
    const what = auth === "secret" ? "It receives UPSTREAM_SECRET with each request, and not who is calling." : "It does not learn who is calling.";
    return ["", `  Your server   ${what}`, `                Without a check of its own it can be used at ${url} without sign-in.`];
  }
  return [
    "",
    `  ! Until your server verifies the gateway's assertions, everybody who reaches ${url}`,
    "    can use it without sign-in. With FastMCP (Python), two lines:",
    "",
    `    auth = JWTVerifier(jwks_uri="${origin}/.well-known/jwks.json", issuer="${origin}",`,
    `                       audience="${audience}", algorithm="ES256")`,
    '    mcp = FastMCP("…", auth=auth)',
    "",
    "    With TypeScript (jose):",
    "",
    `    const keys = createRemoteJWKSet(new URL("${origin}/.well-known/jwks.json"));`,
    `    const { payload } = await jwtVerify(token, keys, { issuer: "${origin}",`,
    `      audience: "${audience}", typ: "at+jwt", algorithms: ["ES256"] });`,
    "",
    "    docs/gateway.md has both in full, and others.",
  ];
}

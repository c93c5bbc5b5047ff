// A gateway as one would write it in JavaScript: the SDK's middleware and `jose` verify the token, a table says which scope a
// tool needs, and the upstream gets an assertion that `jose` signs.

import { env } from "cloudflare:workers";
import { importJWK, SignJWT } from "jose";
import { authenticate } from "../bearer.js";

const { kid, ...jwk } = JSON.parse(env.UPSTREAM_SIGNING_KEY);
const issuer = new URL(env.RESOURCE).origin;
const rules = env.TOOL_SCOPES.split(" ").map((rule) => rule.split("="));
const PASSED = ["mcp-protocol-version", "mcp-method", "mcp-name"];

let key;

export default {
  async fetch(request) {
    const authInfo = await authenticate(request);
    if (authInfo instanceof Response) return authInfo;
    const body = await request.text();
    const { id, method, params } = JSON.parse(body);
    if (method === "tools/call" && !isAllowed(params.name, authInfo.scopes)) {
      return Response.json({ jsonrpc: "2.0", id, error: { code: -32602, message: "Unknown tool" } });
    }
    const headers = {
      authorization: `Bearer ${await assertion(authInfo)}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    for (const name of PASSED) {
      const value = request.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const { status, body: answer, headers: answered } = await fetch(env.UPSTREAM, { method: "POST", headers, body });
    return new Response(answer, { status, headers: { "content-type": answered.get("content-type"), "cache-control": "no-store" } });
  },
};

function isAllowed(name, scopes) {
  const rule = rules.find(([pattern]) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
  return rule !== undefined && scopes.includes(rule[1]);
}

async function assertion({ clientId, scopes, extra }) {
  key ??= await importJWK(jwk, "ES256");
  return new SignJWT({ client_id: clientId, scope: scopes.join(" "), act: { sub: env.RESOURCE } })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid })
    .setIssuer(issuer)
    .setAudience(env.UPSTREAM)
    .setSubject(extra.sub)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime("60s")
    .sign(key);
}

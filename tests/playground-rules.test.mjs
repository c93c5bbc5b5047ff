// The functions of the playground that need no browser: what it reads, checks and sends.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { authorizationUrl, challengeOf, codeIn, random } from "../crates/mcp-edge/src/page/browser/playground/authorization.js";
import { answerText, createSecrets, requestText } from "../crates/mcp-edge/src/page/browser/playground/exchange.js";
import { createFlow } from "../crates/mcp-edge/src/page/browser/playground/flow.js";
import { argumentsFrom, fieldsOf } from "../crates/mcp-edge/src/page/browser/playground/form.js";
import { mcpAnswer, mcpRequest } from "../crates/mcp-edge/src/page/browser/playground/mcp.js";
import {
  bearerChallenge,
  checkProvider,
  discoveryUrls,
  issuerOf,
} from "../crates/mcp-edge/src/page/browser/playground/metadata.js";
import { refusalBy } from "../crates/mcp-edge/src/page/browser/playground/problems.js";

const RESOURCE = "https://mcp.example.com/mcp";
const ISSUER = "https://tenant.logto.app/oidc";

/** Checks that something is refused with a problem of this title. */
const refused = (work, title) => assert.throws(work, (problem) => problem.title === title || assert.fail(problem.title));

describe("the challenge", () => {
  test("is read in each of its forms", () => {
    assert.deepEqual(bearerChallenge('Bearer resource_metadata="https://x/y", scope="a b"'), {
      resource_metadata: "https://x/y",
      scope: "a b",
    });
    assert.deepEqual(bearerChallenge('bearer error=invalid_token ,error_description="it\\"s \\\\ over"'), {
      error: "invalid_token",
      error_description: 'it"s \\ over',
    });
  });

  test("of another scheme or without parameters is none", () => {
    for (const header of [null, "", "Basic realm=x", "Bearers x=y", "Bearer"]) assert.equal(bearerChallenge(header), undefined);
  });
});

describe("the metadata", () => {
  const document = { resource: RESOURCE, authorization_servers: [ISSUER, "https://other.example"] };

  test("names the issuer first", () => assert.equal(issuerOf(document, RESOURCE), ISSUER));

  for (const [what, changes] of [
    ["another resource", { resource: `${RESOURCE}/` }],
    ["no provider", { authorization_servers: [] }],
    ["nothing", { resource: undefined, authorization_servers: undefined }],
  ]) {
    test(`with ${what} is refused`, () =>
      refused(() => issuerOf({ ...document, ...changes }, RESOURCE), "The metadata belongs to another server"));
  }

  test("that is no JSON object is refused", () =>
    refused(() => issuerOf(undefined, RESOURCE), "The metadata belongs to another server"));
});

describe("the provider", () => {
  const document = {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/auth`,
    token_endpoint: `${ISSUER}/token`,
    code_challenge_methods_supported: ["S256"],
  };

  test("is looked for at each of its URLs", () => {
    assert.deepEqual(discoveryUrls(ISSUER), [
      "https://tenant.logto.app/oidc/.well-known/openid-configuration",
      "https://tenant.logto.app/.well-known/oauth-authorization-server/oidc",
      "https://tenant.logto.app/oidc/.well-known/oauth-authorization-server",
      "https://tenant.logto.app/.well-known/openid-configuration/oidc",
    ]);
    assert.deepEqual(discoveryUrls("https://tenant.auth0.com/"), [
      "https://tenant.auth0.com/.well-known/openid-configuration",
      "https://tenant.auth0.com/.well-known/oauth-authorization-server",
    ]);
  });

  test("is taken as it is", () => assert.equal(checkProvider(document, ISSUER), document));

  for (const [changes, title] of [
    [{ issuer: `${ISSUER}/` }, "The provider has another issuer name"],
    [{ issuer: undefined }, "The provider has another issuer name"],
    [{ token_endpoint: undefined }, "The provider does not support this sign-in"],
    [{ authorization_endpoint: undefined }, "The provider does not support this sign-in"],
    [{ code_challenge_methods_supported: ["plain"] }, "The provider does not support this sign-in"],
    [{ code_challenge_methods_supported: undefined }, "The provider does not support this sign-in"],
  ]) {
    test(`with ${JSON.stringify(changes)} is refused`, () =>
      refused(() => checkProvider({ ...document, ...changes }, ISSUER), title));
  }
});

describe("the search for the provider", () => {
  const document = {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/auth`,
    token_endpoint: `${ISSUER}/token`,
    code_challenge_methods_supported: ["S256"],
  };
  const json = (body) => () => Response.json(body);
  const metadata = `${new URL(RESOURCE).origin}/.well-known/oauth-protected-resource/mcp`;

  /** Begins a sign-in, with these responses at the places; returns the authorization endpoint, or the problem's title. */
  async function endpointWith(context, places) {
    const responses = new Map(discoveryUrls(ISSUER).map((url, at) => [url, places[at]]));
    responses.set(metadata, json({ resource: RESOURCE, authorization_servers: [ISSUER] }));
    const challenge = { "www-authenticate": `Bearer resource_metadata="${metadata}"` };
    responses.set(RESOURCE, () => new Response("", { status: 401, headers: challenge }));
    context.mock.method(globalThis, "fetch", async (url) => responses.get(url)?.() ?? new Response("", { status: 404 }));
    const attempt = async (work) => work();
    const step = { sent() {}, received() {}, done() {}, failed: (problem) => problem, attempt };
    const flow = createFlow({ url: RESOURCE, clientId: "page", callback: RESOURCE, provider: "x" }, { begin: () => step });
    let endpoint;
    const ask = async (address) => {
      endpoint = address.split("?")[0];
      throw new Error("not answered");
    };
    return flow.signIn({ ask }).catch((problem) => endpoint ?? problem.title);
  }

  const foreign = json({ ...document, issuer: "https://other.example" });
  const unusable = json({ ...document, token_endpoint: undefined });
  const page = () => new Response("<html>");
  const down = () => Promise.reject(new TypeError("failed"));

  for (const [what, wrong] of Object.entries({ foreign, unusable, page, down })) {
    test(`goes on after a place that is ${what}`, async (context) => {
      for (const at of [1, 2, 3]) {
        const places = [...Array(at).fill(wrong), json(document)];
        assert.equal(await endpointWith(context, places), document.authorization_endpoint, `${at}`);
      }
    });
  }

  test("ends with the last problem of a document, if there was one", async (context) => {
    assert.equal(await endpointWith(context, []), "The identity provider cannot be reached");
    assert.equal(await endpointWith(context, [foreign]), "The provider has another issuer name");
    assert.equal(await endpointWith(context, [foreign, unusable, page]), "The provider does not support this sign-in");
  });
});

describe("the authorization request", () => {
  test("keeps the query of the endpoint, and leaves out empty parameters", () => {
    const url = authorizationUrl("https://x.example/auth?tenant=a", { state: "b c&d", scope: "" });
    assert.equal(url, "https://x.example/auth?tenant=a&state=b+c%26d");
  });

  test("has a challenge that fits its verifier", async () => {
    const verifier = random();
    assert.match(verifier, /^[\w-]{43}$/);
    assert.notEqual(verifier, random());
    assert.equal(await challengeOf(verifier), createHash("sha256").update(verifier).digest("base64url"));
  });
});

describe("the authorization response", () => {
  const provider = { issuer: ISSUER, authorization_response_iss_parameter_supported: true };
  const code = (parameters, from = provider) => codeIn(new URLSearchParams(parameters), from);
  const MIXED_UP = "The response came from another provider";

  test("has a code, and comes from the provider", () => assert.equal(code({ code: "c", iss: ISSUER }), "c"));

  test("may lack the issuer only if the provider does not announce it", () => {
    assert.equal(code({ code: "c" }, { issuer: ISSUER }), "c");
    refused(() => code({ code: "c" }), MIXED_UP);
  });

  test("from another issuer is refused, also with an error, whether or not the provider announces it", () => {
    for (const from of [provider, { issuer: ISSUER }]) {
      refused(() => code({ code: "c", iss: "https://evil.example" }, from), MIXED_UP);
      refused(() => code({ error: "access_denied", iss: `${ISSUER}/` }, from), MIXED_UP);
    }
  });

  for (const [error, title] of [
    ["access_denied", "Access was not allowed"],
    ["invalid_target", "The provider does not know this server"],
    ["invalid_scope", "The provider refused a scope"],
    ["unauthorized_client", "The provider does not accept this page as a client"],
    ["temporarily_unavailable", "The provider refused"],
  ]) {
    test(`that says ${error} is explained, also in the provider's words`, () =>
      assert.throws(
        () => code({ error, error_description: "because", iss: ISSUER }),
        (problem) => problem.title === title && problem.explanation.includes("It says: because.") && problem.advice !== "",
      ));
  }

  test("without code and error is refused", () => refused(() => code({ iss: ISSUER }), "The provider refused"));
});

describe("a message of MCP", () => {
  test("has version, method and name in headers and body", () => {
    const { method, url, headers, body } = mcpRequest(RESOURCE, "tools/call", { name: "sum", arguments: { a: 1 } }, { token: "t" });
    assert.deepEqual([method, url], ["POST", RESOURCE]);
    assert.deepEqual(headers, {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "sum",
      authorization: "Bearer t",
    });
    const { params } = JSON.parse(body);
    assert.equal(params._meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert.deepEqual([params.name, params.arguments], ["sum", { a: 1 }]);
  });

  test("repeats arguments in headers where the schema says so, encoded if necessary", () => {
    const inputSchema = {
      properties: {
        region: { "x-mcp-header": "Region" },
        size: { "x-mcp-header": "Size" },
        place: { properties: { city: { "x-mcp-header": "City" } } },
        absent: { "x-mcp-header": "Absent" },
        plain: {},
      },
    };
    const given = { region: "eu west", size: 3, place: { city: "Köln" }, absent: null, plain: "x" };
    const { headers } = mcpRequest(RESOURCE, "tools/call", { name: "x", arguments: given }, { inputSchema });
    const repeated = Object.entries(headers).filter(([name]) => name.startsWith("mcp-param-"));
    assert.deepEqual(Object.fromEntries(repeated), {
      "mcp-param-Region": "eu west",
      "mcp-param-Size": "3",
      "mcp-param-City": `=?base64?${Buffer.from("Köln").toString("base64")}?=`,
    });
  });

  test("is answered by JSON, or by the response in a stream", () => {
    const json = { headers: new Headers({ "content-type": "application/json" }), text: '{"result":{"a":1}}' };
    assert.deepEqual(mcpAnswer(json), { result: { a: 1 } });
    const text = ': hello\n\ndata: {"method":"notifications/progress"}\n\nevent: message\ndata: {"result":\ndata: {"a":2}}\n\n';
    const stream = { headers: new Headers({ "content-type": "text/event-stream; charset=utf-8" }), text };
    assert.deepEqual(mcpAnswer(stream), { result: { a: 2 } });
    assert.equal(mcpAnswer({ headers: new Headers(), text: "<html>" }), undefined);
  });
});

describe("a form made from a schema", () => {
  const schema = {
    type: "object",
    required: ["title", "level", "tags", "loud"],
    properties: {
      title: { type: "string", description: "In a line" },
      note: { type: ["string", "null"] },
      level: { type: "integer", minimum: 1 },
      ratio: { type: ["number", "null"] },
      loud: { type: "boolean" },
      quiet: { type: "boolean" },
      on: { type: "boolean", default: true },
      color: { $ref: "#/$defs/Color" },
      maybe: { anyOf: [{ $ref: "#/$defs/Color" }, { type: "null" }] },
      kind: { oneOf: [{ const: "a", description: "First" }, { const: "b" }] },
      tags: { type: "array", items: { type: "string" } },
      any: true,
      mixed: { anyOf: [{ type: "string" }, { type: "number" }] },
      endless: { $ref: "#/properties/endless" },
    },
    $defs: { Color: { type: "string", enum: ["red", "green"], title: "Colour" } },
  };
  const fields = fieldsOf(schema);
  const kinds = Object.fromEntries(fields.map(({ name, kind }) => [name, kind]));

  test("has a control for each property", () => {
    assert.deepEqual(kinds, {
      title: "text",
      note: "text",
      level: "number",
      ratio: "number",
      loud: "flag",
      quiet: "flag",
      on: "flag",
      color: "choice",
      maybe: "choice",
      kind: "choice",
      tags: "json",
      any: "json",
      mixed: "json",
      endless: "json",
    });
    const [title] = fields;
    assert.deepEqual([title.label, title.hint, title.required], ["title", "In a line", true]);
    assert.equal(fields.find(({ name }) => name === "color").label, "Colour");
    assert.deepEqual(fields.find(({ name }) => name === "kind").choices, ["a", "b"]);
  });

  const nothing = { loud: false, quiet: false, on: true };
  const read = (entered) => argumentsFrom(fields, (name) => ({ ...nothing, ...entered })[name] ?? "");
  const least = { title: "t", level: "2", tags: "[]" };

  test("returns values in the type of the schema, and leaves out empty ones", () => {
    assert.deepEqual(read(least), { title: "t", level: 2, tags: [], loud: false });
    const all = { ...least, note: "n", ratio: "0.5", quiet: true, on: false, color: "1", mixed: '"x"', any: "null" };
    assert.deepEqual(read(all), {
      title: "t",
      note: "n",
      level: 2,
      ratio: 0.5,
      loud: false,
      quiet: true,
      on: false,
      color: "green",
      tags: [],
      mixed: "x",
      any: null,
    });
  });

  test("an empty string is a value where a string is required", () => assert.equal(read({ ...least, title: "" }).title, ""));

  for (const [entered, field] of [
    [{ level: "" }, "level"],
    [{ level: "many" }, "level"],
    [{ tags: "a, b" }, "tags"],
    [{ tags: "" }, "tags"],
  ]) {
    test(`${JSON.stringify(entered)} is refused at its field`, () =>
      assert.throws(() => read({ ...least, ...entered }), { field }));
  }

  test("a tool without arguments has none", () => {
    assert.deepEqual(fieldsOf({ type: "object" }), []);
    assert.deepEqual(fieldsOf(undefined), []);
  });
});

describe("what is shown of an exchange", () => {
  test("contains no secret, however often it occurs", () => {
    const secrets = createSecrets();
    secrets.add("very-long-secret", undefined, "", null, 5);
    assert.equal(secrets.hide("a very-long-secret, very-long-secret"), "a very-lon… (16 characters), very-lon… (16 characters)");
  });

  test("is the request and the response as text", () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    assert.equal(requestText({ method: "POST", url: "u", headers: form, body: "a=b+c&d=%26" }).split("\n\n")[1], "a=b c\nd=&");
    assert.equal(requestText({ method: "GET", url: "u" }), "GET u");
    const headers = new Headers({ "content-type": "application/json", "www-authenticate": "Bearer x", date: "now" });
    const answer = { status: 401, headers, text: '{"a":1}' };
    assert.equal(answerText(answer), 'HTTP 401\nwww-authenticate: Bearer x\ncontent-type: application/json\n\n{\n  "a": 1\n}');
  });
});

describe("a refusal by this server", () => {
  const jwt = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const soon = Math.floor(Date.now() / 1000) + 3600;
  const context = { resource: RESOURCE, token: jwt({ aud: RESOURCE, exp: soon }), challenge: {}, isFresh: true };
  const title = (answer, changes) =>
    refusalBy({ status: 401, headers: new Headers(), json: undefined, ...answer }, { ...context, ...changes }).title;

  for (const [changes, expected] of [
    [{}, "The server did not accept the token"],
    [{ token: jwt({ aud: ["other"], exp: soon }) }, "The token is for another server"],
    [{ token: jwt({ exp: soon }) }, "The token is for another server"],
    [{ token: jwt({ aud: ["other"], exp: 1 }) }, "Your sign-in has expired"],
    [{ token: "opaque" }, "The token names no server"],
    [{ token: "opaque", isFresh: false }, "Your sign-in has expired"],
    [{ challenge: { error_description: "The access token expired" } }, "Your sign-in has expired"],
  ]) {
    test(`401 with ${JSON.stringify(changes)}: ${expected}`, () => assert.equal(title({}, changes), expected));
  }

  for (const [answer, challenge, expected] of [
    [{ status: 403 }, { error: "insufficient_scope", scope: "a b" }, "More access is needed"],
    [{ status: 403 }, undefined, "The server does not allow this page"],
    [{ status: 429 }, undefined, "Too many failed attempts"],
    [{ status: 503 }, undefined, "The server cannot check tokens right now"],
    [{ status: 500 }, undefined, "The server failed"],
  ]) {
    test(`${answer.status} with ${JSON.stringify(challenge)}: ${expected}`, () =>
      assert.equal(title(answer, { challenge }), expected));
  }

  test("missing scopes are requested at the next sign-in", () => {
    const challenge = { error: "insufficient_scope", scope: "a b" };
    const answer = { status: 403, headers: new Headers() };
    assert.deepEqual(refusalBy(answer, { ...context, challenge }).scopes, ["a", "b"]);
  });
});

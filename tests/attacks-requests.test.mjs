// Attacks in the request around a valid token: headers, query, cookies, sizes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accepts, refuses, staysUnharmed, token, worker } from "./support/attacks.mjs";
import { legacyCall } from "./support/messages.mjs";
import "./support/report-failures.mjs";
import { send } from "./support/worker.mjs";

describe("the request around a token", () => {
  const good = token();
  const bearer = `Bearer ${good}`;
  const large = (kilobytes) => "a".repeat(kilobytes * 1024);

  refuses([
    ["17 KB", { token: large(17) }, "token_too_large"],
    ["64 KB in the form of a token", { token: token({ claims: { padding: large(47) } }) }, "token_too_large"],
    ["just above 16 KB, though signed by the provider", { token: padTo(16 * 1024 + 1) }, "token_too_large"],
    ["two Authorization headers with the same token", { headers: { authorization: [bearer, bearer] } }, "multiple_credentials"],
    ["two Authorization headers, the second of another scheme", { headers: { authorization: [bearer, "Basic YTpi"] } }, "multiple_credentials"],
    ["two Authorization headers, the first of another scheme", { headers: { authorization: ["Basic YTpi", bearer] } }, "multiple_credentials"],
    ["two tokens in one header", { headers: { authorization: `${bearer}, ${bearer}` } }, "multiple_credentials"],
    ["two tokens with a comma alone", { headers: { authorization: `${bearer},${good}` } }, "multiple_credentials"],
    ["two tokens with a space", { headers: { authorization: `${bearer} ${good}` } }, "malformed_authorization"],
    ["garbage after the token", { headers: { authorization: `${bearer};realm=x` } }, "malformed_authorization"],
    ["a parameter after the token", { headers: { authorization: `${bearer} realm="x"` } }, "malformed_authorization"],
    ["a tab in place of the space", { headers: { authorization: `Bearer\t${good}` } }, "unsupported_scheme"],
    ["a tab before the token", { headers: { authorization: `Bearer \t${good}` } }, "malformed_authorization"],
    ["quotes around the token", { headers: { authorization: `Bearer "${good}"` } }, "malformed_authorization"],
    ["the parameter form", { headers: { authorization: `Bearer token="${good}"` } }, "malformed_authorization"],
    ["percent signs", { headers: { authorization: `Bearer ${good.replaceAll(".", "%2E")}` } }, "malformed_authorization"],
    ["a letter beyond ASCII", { headers: { authorization: `Bearer ${good}é` } }, "malformed_authorization"],
    ["the scheme alone", { headers: { authorization: "Bearer" } }, "no_credentials"],
    ["the word Bearer twice", { headers: { authorization: `Bearer ${bearer}` } }, "malformed_authorization"],
    ["a token without a scheme", { headers: { authorization: good } }, "unsupported_scheme"],
    ["another scheme", { headers: { authorization: `Token ${good}` } }, "unsupported_scheme"],
    ["DPoP", { headers: { authorization: `DPoP ${good}` } }, "unsupported_scheme"],
    ["a scheme that begins with Bearer", { headers: { authorization: `BearerX ${good}` } }, "unsupported_scheme"],
    ["an empty header", { headers: { authorization: "" } }, "no_credentials"],
    ["a token in the query", { path: `/mcp?access_token=${good}` }, "token_in_query"],
    ["a token in the query beside a good one in the header", { token: good, path: `/mcp?a=1&access_token=${good}` }, "token_in_query"],
    ["a token in the query under a name in capitals", { token: good, path: `/mcp?ACCESS_TOKEN=${good}` }, "token_in_query"],
    ["an empty token in the query", { token: good, path: "/mcp?access_token" }, "token_in_query"],
    ["a token in the query under an encoded name", { path: `/mcp?access%5Ftoken=${good}` }, "no_credentials"],
    ["a token in the query under the name of the header", { path: `/mcp?authorization=${encodeURIComponent(bearer)}` }, "no_credentials"],
    ["a token in a form", { message: `access_token=${good}`, headers: { "content-type": "application/x-www-form-urlencoded" } }, "no_credentials"],
    ["a token in a cookie", { headers: { cookie: `access_token=${good}; Authorization=${good}` } }, "no_credentials"],
    ["a token in other headers", {
      headers: { "x-authorization": bearer, "proxy-authorization": bearer, "x-forwarded-authorization": bearer, "x-access-token": good },
    }, "no_credentials"],
    ["a token in the message", { message: { ...legacyCall("whoami"), access_token: good, _meta: { authorization: bearer } } }, "no_credentials"],
  ]);

  accepts([
    ["the scheme in lower case", { headers: { authorization: `bearer ${good}` } }],
    ["the scheme in capitals", { headers: { authorization: `BEARER ${good}` } }],
    ["white space around the header's value", { headers: { authorization: `  ${bearer} \t` } }],
    ["just 16 KB", { token: padTo(16 * 1024) }],
    ["a query that only resembles", { token: good, path: "/mcp?my_access_token=1&token=2" }],
  ]);

  for (const method of ["GET", "DELETE", "PUT", "PATCH", "HEAD"]) {
    test(`${method} is refused without a token before the method is looked at`, async () => {
      const { status, headers } = await send(worker, { method });
      assert.equal(status, 401);
      assert.match(headers["www-authenticate"], /^Bearer resource_metadata="/);
    });
  }

  /** Creates a valid token of this many characters. */
  function padTo(length) {
    // Three bytes of JSON become four characters; the exact length is found by trying.
    for (let filler = Math.floor(((length - token().length - 40) * 3) / 4); ; filler += 1) {
      for (const more of ["", "k", "kk", "kkk"]) {
        const padded = token({ header: { x: more }, claims: { jti: "j", padding: "p".repeat(filler) } });
        if (padded.length === length) return padded;
        if (padded.length > length + 8) throw new Error(`no token of ${length} characters`);
      }
    }
  }
});

staysUnharmed();

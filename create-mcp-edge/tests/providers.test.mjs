// The providers are those of the Worker: crates/provider-profiles.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PROVIDERS, issuerMismatch } from "../src/providers.mjs";

const PROFILES = new URL("../../crates/provider-profiles/src/profiles/", import.meta.url);

/** Names and forms of issuers, as the Rust source has them. */
function ofTheWorker() {
  const files = readdirSync(PROFILES).filter((name) => name !== "mod.rs");
  return Object.fromEntries(files.map((file) => {
    const source = readFileSync(new URL(file, PROFILES), "utf8");
    const forms = [...source.matchAll(/IssuerForm \{\s*host: "([^"]+)",\s*path: "([^"]*)",\s*example: "([^"]+)",?\s*\}/g)];
    const count = source.split("IssuerForm {").length - 1;
    assert.equal(forms.length, count, `${file}: every form is read`);
    return [/^ {4}name: "([^"]+)",$/m.exec(source)[1], forms.map(([, host, path, example]) => ({ host, path, example }))];
  }));
}

test("names and forms of issuers are those of the Worker", () => {
  const known = Object.fromEntries(Object.entries(PROVIDERS).map(([name, { issuers }]) => [name, issuers]));
  assert.deepEqual(known, ofTheWorker());
});

test("an example of a provider is one of its issuers, once it names a tenant", () => {
  const tenant = "6731de76-14a6-49ae-97bc-6eba6914391e";
  for (const [name, { issuers, example }] of Object.entries(PROVIDERS)) {
    for (const issuer of [...issuers.map((form) => form.example), example]) {
      assert.equal(issuerMismatch(name, issuer.replaceAll("<tenant id>", tenant)), undefined, `${name} ${issuer}`);
    }
  }
});

test("an issuer on a provider's domain has its form", () => {
  for (const [name, issuer] of [
    ["logto", "https://acme.logto.app/oidc/"],
    ["logto", "https://acme.logto.app"],
    ["auth0", "https://acme.eu.auth0.com"],
    ["okta", "https://acme.okta.com/oauth2/"],
    ["entra", "https://login.microsoftonline.com/common/v2.0"],
  ]) assert.match(issuerMismatch(name, issuer).message, /^is not an issuer of /, issuer);
  assert.equal(issuerMismatch("logto", "https://auth.acme.example/oidc"), undefined, "a domain of the operator's own");
  assert.equal(issuerMismatch("logto", "https://evil-logto.app/anything"), undefined, "another domain");
});

test("an issuer of another provider is refused, but for the generic one", () => {
  assert.match(issuerMismatch("keycloak", "https://acme.logto.app/oidc").message, /^is an issuer of Logto, not of Keycloak$/);
  assert.equal(issuerMismatch("generic", "https://acme.logto.app/oidc"), undefined);
});

// The custom-claims script of `make logto`: what it discloses, and how it is recognised.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import vm from "node:vm";
import { block, completeScript, recognise } from "../dev/logto/claims-script.mjs";
import { planScript } from "../dev/logto/plan-script.mjs";
import { parseClaimScopes, withImplied } from "../dev/logto/scopes.mjs";

const RESOURCE = "https://mcp.example.com/mcp";
const OTHER = "https://other.example.com/mcp";
const NAMES = ["username", "name", "email", "email_verified", "picture"];
const TABLE = { [RESOURCE]: { "whoami:read": NAMES } };
const USER = { id: "u", username: "alice", name: "Alice Doe", primaryEmail: "alice@example.com", primaryPhone: null, avatar: null, profile: { givenName: "Alice" } };
const OWN = "const getCustomJwtClaims = async ({ token }) => ({ plan: 'gold' });";

// As Logto runs it: the script, then the name of the function.
async function claimsOf(script, token, context = { user: USER }) {
  const entry = vm.runInNewContext(`${script}\n;typeof getCustomJwtClaims === 'function' ? getCustomJwtClaims : undefined;`);
  return { ...(await entry({ token, context, environmentVariables: {} })) };
}

describe("what the script discloses", () => {
  const script = completeScript(TABLE);
  const ALL = { username: "alice", name: "Alice Doe", email: "alice@example.com", email_verified: true };

  test("the claims that the scope covers, in a token for the resource", async () => {
    assert.deepEqual(await claimsOf(script, { aud: RESOURCE, scope: "whoami:read" }), ALL);
    assert.deepEqual(await claimsOf(script, { aud: [RESOURCE], scope: "other:scope whoami:read" }), ALL);
  });

  test("nothing for any other token", async () => {
    for (const aud of [OTHER, `${RESOURCE}/`, RESOURCE.toUpperCase(), [RESOURCE, OTHER], [], undefined, null, "toString", "__proto__", {}]) {
      assert.deepEqual(await claimsOf(script, { aud, scope: "whoami:read" }), {}, String(aud));
    }
    for (const scope of ["", undefined, null, "whoami", "whoami:read2", "WHOAMI:READ", "toString", "__proto__"]) {
      assert.deepEqual(await claimsOf(script, { aud: RESOURCE, scope }), {}, String(scope));
    }
    for (const context of [undefined, {}, { user: null }]) {
      assert.deepEqual(await claimsOf(script, { aud: RESOURCE, scope: "whoami:read" }, context ?? null), {});
    }
  });

  test("each scope its own claims", async () => {
    const both = completeScript({ [RESOURCE]: { a: ["name", "given_name"], b: ["email", "phone_number"] } });
    assert.deepEqual(await claimsOf(both, { aud: RESOURCE, scope: "a" }), { name: "Alice Doe", given_name: "Alice" });
    assert.deepEqual(await claimsOf(both, { aud: RESOURCE, scope: "b" }), { email: "alice@example.com" });
  });

  test("quotes and brackets in names stay text", async () => {
    const resource = 'https://x.example/"];throw 1;[ "';
    const odd = completeScript({ [resource]: { "a[b];": ["name"] } });
    assert.deepEqual(await claimsOf(odd, { aud: resource, scope: "a[b];" }), { name: "Alice Doe" });
    assert.equal(recognise(odd).kind, "own");
  });

  test("characters that a terminal would obey, or not show, are escaped", () => {
    const resource = "https://x.example/\u009b2J\u202e\u{e0041}";
    const odd = completeScript({ [resource]: { a: ["name"] } });
    assert.match(odd, /x\.example\/\\u009b2J\\u202e\\udb40\\udc41"/);
    assert.deepEqual(recognise(odd), { kind: "own", table: { [resource]: { a: ["name"] } } });
  });

  test("scopes that imply others cover their claims", () => {
    const table = parseClaimScopes("whoami:read=name,email x=plan");
    assert.deepEqual(withImplied(table, "admin=whoami:read,x whoami:read=admin"), {
      "whoami:read": ["name", "email", "plan"],
      x: ["plan"],
      admin: ["plan", "name", "email"].sort((one, other) => ["name", "email", "plan"].indexOf(one) - ["name", "email", "plan"].indexOf(other)),
    });
    assert.deepEqual(withImplied(table), table);
    assert.deepEqual(withImplied(table, "admin=x admin=whoami:read").admin, ["plan", "name", "email"]);
    assert.throws(() => parseClaimScopes("whoami:read"), /scope=claim/);
  });
});

describe("which script it is", () => {
  const plan = (script, scopes = TABLE[RESOURCE], resource = RESOURCE) =>
    planScript({ customizer: script === undefined ? undefined : { script } }, { claims: { resource, scopes } });

  test("its own, of another table or version, is updated", () => {
    const own = completeScript(TABLE);
    assert.equal(recognise(own).kind, "own");
    assert.equal(plan(own)[0].action, "keep");
    const [changed] = plan(own, { "whoami:read": ["name"] });
    assert.equal(changed.action, "change");
    assert.deepEqual(recognise(changed.calls[0].body.script).table, { [RESOURCE]: { "whoami:read": ["name"] } });
    assert.equal(changed.calls[0].expectScript, own);
  });

  test("servers of one tenant share a script", () => {
    const [step] = plan(completeScript(TABLE), { "notes:read": ["name"] }, OTHER);
    assert.deepEqual(recognise(step.calls[0].body.script).table, { ...TABLE, [OTHER]: { "notes:read": ["name"] } });
    assert.equal(plan(step.calls[0].body.script)[0].action, "keep");
  });

  test("without CLAIM_SCOPES it discloses nothing for the resource any more", () => {
    assert.equal(plan(undefined, {})[0].action, "keep");
    const [step] = plan(completeScript(TABLE), {});
    assert.deepEqual([step.action, recognise(step.calls[0].body.script).table], ["change", {}]);
  });

  test("the operator's is left alone, and the lines to add are shown", () => {
    const [step] = plan(OWN);
    assert.deepEqual([step.action, step.calls], ["leave", []]);
    assert.ok(step.show.includes(block(TABLE)));
  });

  test("the operator's with the lines is complete, and works", async () => {
    const mixed = `${block(TABLE)}\nconst getCustomJwtClaims = async ({ token, context }) => ({ plan: 'gold', ...mcpEdgeClaims(token, context) });`;
    assert.equal(plan(mixed)[0].action, "keep");
    assert.equal((await claimsOf(mixed, { aud: RESOURCE, scope: "whoami:read" })).name, "Alice Doe");
    assert.deepEqual(await claimsOf(mixed, { aud: OTHER, scope: "whoami:read" }), { plan: "gold" });
    const [stale] = plan(mixed, { "whoami:read": ["name"] });
    assert.deepEqual([stale.action, stale.calls], ["leave", []]);
    assert.match(stale.show, /Replace the lines/);
    const [uncalled] = plan(`${block(TABLE)}\n${OWN}`);
    assert.equal(uncalled.action, "leave");
  });

  test("its own that somebody has edited is left alone", () => {
    const edited = completeScript(TABLE).replace("user.username", "user.primaryPhone");
    assert.equal(recognise(edited).kind, "edited");
    const [step] = plan(edited);
    assert.deepEqual([step.action, step.calls], ["leave", []]);
    assert.equal(plan(completeScript(TABLE).slice(0, 200))[0].action, "leave");
    const extended = `${completeScript(TABLE)}\n// mine`;
    assert.equal(recognise(extended).kind, "foreign");
    assert.equal(plan(extended)[0].action, "keep", "its lines are complete");
    assert.equal(plan(extended, { "whoami:read": ["name"] })[0].action, "leave");
  });

  test("lines that somebody has edited are to be replaced, and other servers keep their entries", async () => {
    const table = { [OTHER]: { "notes:read": ["name"] }, [RESOURCE]: { "whoami:read": ["name"] } };
    const edits = {
      "a source": (script) => script.replace("user.name", "user.username"),
      "the table, by hand": (script) => script.replace('"whoami:read": ["name"]', '"whoami:read": ["name", "email"]'),
      "a comment in them": (script) => script.replace("const mcpEdgeClaims", "// mine\nconst mcpEdgeClaims"),
    };
    for (const [edit, change] of Object.entries(edits)) {
      for (const rest of ["", "\nconst mine = 1;"]) {
        const script = change(completeScript(table)) + rest;
        assert.notEqual(script, completeScript(table) + rest, edit);
        const [step] = plan(script);
        assert.deepEqual([step.action, step.calls, step.isIncomplete], ["leave", [], true], edit);
        assert.match(step.because, /edited by hand/);
        assert.match(step.show, /^Replace the lines between "mcp-edge:begin" and "mcp-edge:end"/, edit);
        assert.doesNotMatch(step.show, /in getCustomJwtClaims/, "it calls them already");
        assert.ok(step.show.includes(block({ [RESOURCE]: TABLE[RESOURCE], [OTHER]: table[OTHER] })), edit);
      }
    }
  });

  test("edited lines without a table that can be read are to be replaced, and the loss is said", () => {
    for (const change of [
      (script) => script.replace(/const mcpEdgeResources = \{[\s\S]*?\n\};/, "const mcpEdgeResources = load();"),
      (script) => script.replace('"name"', "'name'"),
      (script) => `${script}\n${script}`,
    ]) {
      const [step] = plan(change(completeScript(TABLE)));
      assert.equal(step.action, "leave");
      assert.match(step.show, /^Replace /);
      assert.match(step.show, /other servers/);
      assert.ok(step.show.includes(block(TABLE)));
    }
    const [endless] = plan(completeScript(TABLE).replace("// mcp-edge:end", ""));
    assert.match(endless.show, /^Replace /);
    assert.doesNotMatch(endless.show, /other servers/);
  });

  test("other line ends are no edit", () => {
    const windows = (text) => text.replaceAll("\n", "\r\n");
    assert.equal(recognise(windows(completeScript(TABLE))).kind, "own");
    const mixed = windows(`${block(TABLE)}\nconst getCustomJwtClaims = async ({ token, context }) => ({ ...mcpEdgeClaims(token, context) });`);
    assert.equal(plan(mixed)[0].action, "keep");
    assert.equal(plan(windows(completeScript(TABLE)))[0].action, "keep");
  });

  test("a call in a comment is none", () => {
    for (const comment of ["// return mcpEdgeClaims(token, context);", "/* mcpEdgeClaims(token, context) */"]) {
      const [step] = plan(`${block(TABLE)}\n${comment}\n${OWN}`);
      assert.deepEqual([step.action, step.isIncomplete], ["leave", true], comment);
      assert.match(step.show, /in getCustomJwtClaims/);
      assert.ok(!step.show.includes(block(TABLE)), "the lines are there already");
    }
  });

  test("a claim that Logto does not know is said", () => {
    const [step, unknown] = plan(undefined, { "whoami:read": ["name", "plan"] });
    assert.equal(step.action, "create");
    assert.match(unknown.subject, /plan/);
    assert.equal(unknown.action, "leave");
  });
});

// What `make logto` sets up is answered as a real Logto was recorded to answer.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { createApplications } from "./applications.mjs";
import { createTenant } from "./tenant.mjs";

const clientStore = { upsert: async () => {}, destroy: async () => {} };
const applications = createApplications({ clientStore, resources: {} });
const tenant = createTenant({ applications, managementResource: "https://default.logto.app/api" });
const recorded = JSON.parse(await readFile(new URL("../../registrar/tests/logto/management-resource.json", import.meta.url), "utf8"));

const call = (method, path, body = {}) => {
  const url = new URL(path, "http://api");
  return tenant.answer({ method, path: url.pathname, query: url.searchParams, body });
};

/** Statuses, members and types; ids and times differ. */
const shape = ({ status, body }) => ({ status, members: Object.entries(body).map(([name, value]) => [name, typeof value]).sort() });

describe("the tenant", () => {
  const resource = call("POST", "/resources", recorded.create.request.json);

  test("a resource, its permission and a role are created as recorded", () => {
    assert.deepEqual(shape(resource), shape(recorded.create));
    const scope = call("POST", `/resources/${resource.body.id}/scopes`, recorded.scope_create.request.json);
    assert.deepEqual(shape(scope), shape(recorded.scope_create));
    assert.equal(applications.scope(scope.body.id).name, "whoami:read");
    const role = call("POST", "/roles", { ...recorded.role_create.request.json, scopeIds: [scope.body.id] });
    assert.deepEqual(shape(role), shape(recorded.role_create));
  });

  test("an identifier that is taken is refused as recorded", () => {
    const { status, body } = call("POST", "/resources", recorded.identifier_taken.request.json);
    assert.deepEqual({ status, body }, { status: recorded.identifier_taken.status, body: recorded.identifier_taken.body });
  });

  test("lists have pages, with their total", () => {
    const { body, headers } = call("GET", "/resources?page=2&page_size=1");
    assert.deepEqual([body.length, body[0].id, headers["total-number"]], [1, resource.body.id, "2"]);
  });

  test("other calls are not answered here", () => {
    assert.equal(call("GET", "/logs"), undefined);
  });
});

// oidc-provider, as `make dev` and docs/providers/generic.md set it up. tests/sign-in.test.mjs has more.

import { after, before, describe } from "node:test";
import { startDeployment } from "../support/deployment.mjs";
import "../support/report-failures.mjs";
import { signIn } from "../support/sign-in.mjs";
import { testSignIns } from "./support/sign-in-tests.mjs";

describe("oidc-provider", () => {
  let deployment;
  before(async () => (deployment = await startDeployment({ settings: { USER_BY_SUBJECT: "true" } })));
  after(() => deployment?.stop());

  const visit = (authorizationUrl) => signIn({ authorizationUrl });
  testSignIns(() => ({ mcpUrl: deployment.worker.mcpUrl, visit }), {
    username: "alice",
    email: "alice@example.com",
    kind: "user",
    scopes: ["whoami:read"],
  });
});

// authgent-server (Python): an OAuth authorization server for agents. It has no accounts: everybody who agrees on its
// consent page is the same user.

import { freePort } from "../../support/worker.mjs";
import { submitForms } from "./forms.mjs";
import { newFolder, startServer } from "./program.mjs";
import { python } from "./installed.mjs";
import { REDIRECT_URL } from "./token-requests.mjs";

/** The subject of every token that somebody agreed to. */
export const USER = "consent_user";

/**
 * Starts the server with an empty database.
 * @param {{scopes: string[]}} options
 */
export async function startAuthgent({ scopes }) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const folder = await newFolder();
  // Its script has the path of the environment that it was installed in, which has been moved.
  const program = [python, "-c", "from authgent_server.cli import app; app()"];
  const server = await startServer([...program, "run", "--host", "127.0.0.1", "--port", String(port)], {
    folder,
    answers: `${issuer}/ready`,
    env: {
      AUTHGENT_SERVER_URL: issuer,
      AUTHGENT_CONSENT_MODE: "ui",
      AUTHGENT_SCOPES_SUPPORTED: JSON.stringify(scopes),
    },
  });
  return {
    issuer,
    visit: submitForms(() => ({ action: "allow" })),
    /** Registers a client (RFC 7591). */
    async register(grants) {
      const metadata = {
        client_name: "By hand",
        grant_types: grants,
        redirect_uris: [REDIRECT_URL],
        scope: scopes.join(" "),
        token_endpoint_auth_method: "client_secret_post",
      };
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${issuer}/register`, { method: "POST", headers, body: JSON.stringify(metadata) });
      return response.json();
    },
    stop: server.stop,
  };
}

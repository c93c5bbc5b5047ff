// A Worker in place of the vault: its entrypoint `Internal` answers what endpoints ask about connected accounts, and its
// default one says what these are. The credential is believed: who verifies it is the vault's business, and not tested here.

import { WorkerEntrypoint } from "cloudflare:workers";

/** What a test has set, see `fake-vault.mjs`. */
let state = { accounts: {}, refusal: undefined };
let calls = [];

export class Internal extends WorkerEntrypoint {
  async fetch(request) {
    if (this.ctx.props.role !== "endpoint") return new Response(null, { status: 403 });
    const message = await request.json();
    const [name, credential, connection, scopes, userOfToken, refused] = message;
    calls.push({ name, credential, connection, scopes, userOfToken, refused });
    return Response.json(answer(subjectOf(credential), connection, refused));
  }
}

export default {
  async fetch(request) {
    if (request.method === "PUT") {
      state = await request.json();
      calls = [];
      return new Response();
    }
    return Response.json(calls);
  },
};

function answer(subject, connection, refused) {
  if (state.refusal) return state.refusal;
  const account = state.accounts[subject];
  if (account?.connectedAfter > 0) account.connectedAfter -= 1;
  else if (account) {
    if (refused === account.token) account.token = account.next;
    if (account.token) return ["token", connection, account.token, "", state.url];
  }
  return ["connect", "Notes", `${state.origin}/account/connect/link-of-${subject}`];
}

function subjectOf(credential) {
  const claims = credential.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(claims)).sub;
}

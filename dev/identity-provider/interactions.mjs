// Sign-in and consent, between the authorization request and its response.
//
// The engine redirects the browser to /interaction/<uid> and sets a cookie for the same uid; a form from another
// site has neither. There are three URLs:
//
//   GET       /interaction/<uid>          the next page, sign-in or consent
//   GET POST  /interaction/<uid>/sign-in  fields `login` and `password`
//   POST      /interaction/<uid>/consent  field `decision`, `allow` or `deny`

import { errors } from "oidc-provider";
import { authenticate } from "./accounts.mjs";
import { clientView, returnTarget } from "./client-view.mjs";
import { SELECT_ACCOUNT } from "./configuration.mjs";
import { consentPage, errorPage, PAGE_HEADERS, signInPage } from "./pages.mjs";
import { USER_SCOPES } from "./scopes.mjs";

const PATH = /^\/interaction\/([\w-]+)(\/sign-in|\/consent)?$/;

const MAX_FORM_BYTES = 16 * 1024;

const DENIED = { error: "access_denied", error_description: "the user denied the request" };
const CANCELLED = { error: "access_denied", error_description: "the user cancelled signing in" };

/**
 * @param {object} settings
 * @param {() => import("oidc-provider").Provider} settings.currentProvider
 * @param {import("./accounts.mjs").Account[]} settings.accounts
 * @param {import("./clients.mjs").LocalClient[]} settings.clients
 * @param {Record<string, string>} settings.scopes
 * @param {string} [settings.title]  what the pages call the provider, if it is another than the usual one
 * @param {(message: string) => void} settings.log
 */
export function createInteractions({ currentProvider, accounts, clients, scopes, title: provider, log }) {
  const knownIds = new Set(clients.map(({ metadata }) => metadata.client_id));
  const firstPartyIds = new Set(
    clients.filter(({ firstParty }) => firstParty).map(({ metadata }) => metadata.client_id),
  );

  /** Handles requests below /interaction; returns `false` for other paths. */
  return async function handleInteraction(path, request, response) {
    const [, uid, step = ""] = PATH.exec(path) ?? [];
    if (uid === undefined) return false;

    response.setHeader("Cache-Control", "no-store");
    try {
      await answer(await open(uid, request, response), step);
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
      sendPage(response, 400, EXPIRED_PAGE);
    }
    return true;
  };

  /** Loads the interaction of this browser and the data of the pages. */
  async function open(uid, request, response) {
    const provider = currentProvider();
    const interaction = await provider.interactionDetails(request, response);
    if (interaction.uid !== uid) throw new errors.SessionNotFound("another interaction has begun");
    const client = await provider.Client.find(interaction.params.client_id);
    if (client === undefined) throw new errors.SessionNotFound("the client has gone");
    return { provider, interaction, client, request, response };
  }

  function answer(exchange, step) {
    const route = `${exchange.request.method} ${step}`;
    switch (route) {
      case "GET ":
        return exchange.interaction.prompt.name === "consent" ? askConsent(exchange) : showSignIn(exchange);
      case "GET /sign-in":
        return showSignIn(exchange);
      case "POST /sign-in":
        return signIn(exchange);
      case "POST /consent":
        return decide(exchange);
      default:
        return sendPage(exchange.response, 405, WRONG_METHOD_PAGE);
    }
  }

  function showSignIn({ interaction, client, response }, { status = 200, login, failed } = {}) {
    const view = {
      action: `/interaction/${interaction.uid}/sign-in`,
      client: clientView(client, knownIds),
      accounts,
      login: login ?? interaction.params.login_hint,
      failed,
      provider,
    };
    sendPage(response, status, signInPage(view));
  }

  async function signIn(exchange) {
    const form = await readForm(exchange.request);
    if (form.get("decision") === "deny") return finish(exchange, CANCELLED);

    const login = form.get("login") ?? "";
    const account = authenticate(accounts, login, form.get("password") ?? "");
    if (account === undefined) {
      log("sign-in refused: wrong user name or password");
      return showSignIn(exchange, { status: 422, login, failed: true });
    }
    log(`signed in: ${account.username}`);
    const isSelected = exchange.interaction.prompt.name === SELECT_ACCOUNT;
    return finish(exchange, { login: { accountId: account.sub }, ...(isSelected && { [SELECT_ACCOUNT]: {} }) });
  }

  async function askConsent(exchange) {
    const { interaction, client, response } = exchange;
    if (firstPartyIds.has(client.clientId)) return allow(exchange);

    const { missingOIDCScope = [], missingResourceScopes = {} } = interaction.prompt.details;
    const view = {
      action: `/interaction/${interaction.uid}/consent`,
      switchUrl: `/interaction/${interaction.uid}/sign-in`,
      client: clientView(client, knownIds),
      account: accounts.find(({ sub }) => sub === interaction.session.accountId),
      userScopes: describe(missingOIDCScope, USER_SCOPES),
      resources: Object.entries(missingResourceScopes).map(([resource, names]) => ({
        resource,
        scopes: describe(names, scopes),
      })),
      returnTarget: returnTarget(interaction.params.redirect_uri),
      provider,
    };
    return sendPage(response, 200, consentPage(view));
  }

  async function decide(exchange) {
    // Refuses consent in an interaction without a sign-in.
    if (exchange.interaction.prompt.name !== "consent") throw new errors.SessionNotFound("consent is not due");
    const decision = (await readForm(exchange.request)).get("decision");
    if (decision === "allow") return allow(exchange);
    if (decision === "deny") return finish(exchange, DENIED);
    return askConsent(exchange);
  }

  async function allow(exchange) {
    const { provider, interaction, client } = exchange;
    const { missingOIDCScope = [], missingResourceScopes = {} } = interaction.prompt.details;
    const grant = new provider.Grant({ accountId: interaction.session.accountId, clientId: client.clientId });
    grant.addOIDCScope(missingOIDCScope.join(" "));
    for (const [resource, names] of Object.entries(missingResourceScopes)) {
      grant.addResourceScope(resource, names.join(" "));
    }
    const consent = { grantId: await grant.save() };
    log(`allowed: ${JSON.stringify(client.clientName ?? client.clientId)}`);
    return finish(exchange, { consent }, { keepEarlierSteps: true });
  }
}

// The result of the consent is merged with that of the sign-in; other results replace it.
function finish({ provider, request, response }, result, { keepEarlierSteps = false } = {}) {
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: keepEarlierSteps });
}

function describe(names, descriptions) {
  return names.map((name) => ({ name, description: descriptions[name] ?? name }));
}

function sendPage(response, status, body) {
  response.writeHead(status, PAGE_HEADERS).end(body);
}

async function readForm(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_FORM_BYTES) throw new errors.SessionNotFound("the form is too large");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

const EXPIRED_PAGE = errorPage({
  title: "This page has expired",
  explanation: "The request it belongs to was finished, or took too long, or another one was begun meanwhile.",
  advice: "Go back to the client and start again.",
});

const WRONG_METHOD_PAGE = errorPage({
  title: "Nothing to see here",
  explanation: "This address only receives a form.",
  advice: "Go back to the client and start again.",
});

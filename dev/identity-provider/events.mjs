// Logs the events of the engine: requests, refusals and their reasons, without tokens, codes or secrets.

const REFUSALS = {
  "authorization.error": "authorization",
  "grant.error": "token request",
  "introspection.error": "introspection",
  "registration_create.error": "registration",
  "userinfo.error": "userinfo",
};

/** Subscribes `log` to the engine's events. */
export function reportEvents(engine, log) {
  for (const [event, what] of Object.entries(REFUSALS)) {
    engine.on(event, (ctx, error) => log(`${what} refused${by(ctx)}: ${reason(error)}`));
  }
  engine.on("grant.success", (ctx) => log(`token issued${by(ctx)}: ${ctx.oidc.params.grant_type}`));
  engine.on("registration_create.success", (_ctx, { clientName, clientId }) =>
    log(`registered: ${JSON.stringify(clientName ?? clientId)}`),
  );
  engine.on("server_error", (_ctx, error) => log(`server error: ${error.stack}`));
}

function by(ctx) {
  const clientId = ctx.oidc?.client?.clientId;
  return clientId === undefined ? "" : ` for ${JSON.stringify(clientId)}`;
}

// The detail is for the operator; the client does not see it.
function reason({ message, error_description, error_detail }) {
  return [message, error_description, error_detail].filter(Boolean).join(", ");
}

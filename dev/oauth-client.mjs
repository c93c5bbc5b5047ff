// The part of an OAuth client that the official MCP SDK leaves to its host application: client metadata and
// storage. The storage is memory, so each run signs in again.

/** An `OAuthClientProvider` of the SDK. */
export class OAuthClient {
  #state = crypto.randomUUID();
  #knownId;
  #client;
  #tokens;
  #verifier;
  #discovery;

  /** The URL of the sign-in page, when the client is redirected there. */
  authorizationUrl;

  /**
   * @param {object} options
   * @param {string} options.name         what the consent page calls the client
   * @param {string} options.redirectUrl  the redirect URI
   * @param {string} [options.clientId]   of a public client that the provider knows already
   */
  constructor({ name, redirectUrl, clientId }) {
    this.redirectUrl = redirectUrl;
    this.#knownId = clientId;
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  state() {
    return this.#state;
  }

  clientInformation({ issuer } = {}) {
    return this.#client ?? (this.#knownId && { client_id: this.#knownId, issuer });
  }

  saveClientInformation(client) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens) {
    this.#tokens = tokens;
  }

  redirectToAuthorization(url) {
    this.authorizationUrl = url;
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  discoveryState() {
    return this.#discovery;
  }

  saveDiscoveryState(state) {
    this.#discovery = state;
  }
}

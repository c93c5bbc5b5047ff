// Bearer authentication as in the documentation of the TypeScript SDK: its middleware, with `jose` as the verifier.
//
// jose keeps the keys that it fetched, and the imported ones, for as long as the isolate lives.

import { env } from "cloudflare:workers";
import {
  getOAuthProtectedResourceMetadataUrl,
  OAuthError,
  OAuthErrorCode,
  oauthMetadataResponse,
  requireBearerAuth,
} from "@modelcontextprotocol/server";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const resource = new URL(env.RESOURCE);
const requiredScopes = env.REQUIRED_SCOPES.split(" ");

const keys = createRemoteJWKSet(new URL(env.JWKS_URL));

const checks = {
  issuer: env.ISSUER,
  audience: env.RESOURCE,
  typ: "at+jwt",
  algorithms: ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
  requiredClaims: ["sub", "client_id", "exp"],
};

const verifier = {
  async verifyAccessToken(token) {
    const { payload } = await verify(token);
    return {
      token,
      clientId: payload.client_id,
      scopes: (payload.scope ?? "").split(" "),
      expiresAt: payload.exp,
      resource,
      extra: { sub: payload.sub, iss: payload.iss },
    };
  },
};

async function verify(token) {
  try {
    return await jwtVerify(token, keys, checks);
  } catch (error) {
    const isOutage = !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout;
    throw isOutage ? error : new OAuthError(OAuthErrorCode.InvalidToken, "The access token is not valid");
  }
}

/** Returns the identity, or the response to a request without a valid token. */
export const authenticate = requireBearerAuth({
  verifier,
  requiredScopes,
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
  expectedResource: resource,
});

const documents = {
  oauthMetadata: {
    issuer: env.ISSUER,
    authorization_endpoint: `${env.ISSUER}/auth`,
    token_endpoint: `${env.ISSUER}/token`,
    response_types_supported: ["code"],
  },
  resourceServerUrl: resource,
  scopesSupported: requiredScopes,
  // The provider of this benchmark is on loopback.
  dangerouslyAllowInsecureIssuerUrl: true,
};

/** Returns the response to a request for a public document. */
export function publicDocument(request) {
  return oauthMetadataResponse(request, documents);
}

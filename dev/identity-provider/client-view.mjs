// What the pages show of a client. Anyone may have registered it, so values are shortened and cleaned; the
// pages escape them.

const MAX_NAME_CHARACTERS = 60;

// Control and formatting characters, among them those that reverse the direction of what follows.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns what a page shows of the engine's `client`. `knownIds` are the preconfigured clients. */
export function clientView(client, knownIds) {
  return {
    name: displayName(client.clientName ?? client.clientId),
    verified: knownIds.has(client.clientId),
    documentHost: /^https?:/i.test(client.clientId) ? URL.parse(client.clientId)?.host : undefined,
  };
}

function displayName(text) {
  const characters = [...text.replace(INVISIBLE, "").trim()];
  if (characters.length <= MAX_NAME_CHARACTERS) return characters.join("") || "A client without a name";
  return `${characters.slice(0, MAX_NAME_CHARACTERS - 1).join("")}…`;
}

/** Returns a redirect URI, shortened. */
export function returnTarget(redirectUri) {
  const url = new URL(redirectUri);
  return url.protocol === "https:" || url.protocol === "http:" ? url.origin : `${url.protocol}//${url.host}`;
}

// How a client is shown to people. All of it may be chosen by a stranger, so it is cut and cleaned;
// the pages escape it.

const MAX_NAME_CHARACTERS = 60;

// Control and formatting characters, among them those that reverse the direction of what follows.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** What a page shows about the engine's `client`. `knownIds` are the clients known from the start. */
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

/** Where a redirect address leads, short enough to be read. */
export function returnTarget(redirectUri) {
  const url = new URL(redirectUri);
  return url.protocol === "https:" || url.protocol === "http:" ? url.origin : `${url.protocol}//${url.host}`;
}

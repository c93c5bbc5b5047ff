// What a scope means, in the words the consent page shows.

/** The default scopes of the MCP server: name → description. */
export const DEFAULT_API_SCOPES = {
  "whoami:read": "See who you are: your name, user name and e-mail address",
};

/** The user scopes: name → description. */
export const USER_SCOPES = {
  openid: "Recognise you the next time",
  profile: "See your name, user name and picture",
  email: "See your e-mail address",
  offline_access: "Keep this access while you are away",
};

/**
 * Reads a scope of the command line, `notes:read=Read your notes`.
 * @returns {[string, string]} its name and its description
 * @throws {Error} if it has another form
 */
export function parseScope(text) {
  const [, name, description] = /^([^\s=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`--scope ${text} must have the form name=description`);
  return [name, description];
}

/**
 * The scopes of a project's own Worker: those that every request needs, and others that are named beside them.
 * @param {string} [required]  as in the setting `REQUIRED_SCOPES`
 * @param {string[]} [named]  each with its description, as on the command line
 * @returns {Record<string, string> | undefined} name → description; undefined if there is none
 */
export function scopesOf(required = "", named = []) {
  const needed = required.split(/\s+/).filter(Boolean).map((name) => [name, DEFAULT_API_SCOPES[name] ?? `Use ${name}`]);
  const scopes = Object.fromEntries([...needed, ...named.map(parseScope)]);
  return Object.keys(scopes).length === 0 ? undefined : scopes;
}

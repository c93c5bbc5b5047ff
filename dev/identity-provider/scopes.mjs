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

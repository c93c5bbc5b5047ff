// The local accounts.
//
// The passwords are public: the sign-in page shows them. Subjects are fixed, so that data stored under a
// subject stays valid after a restart.

/**
 * @typedef {object} Account
 * @property {string} sub            12 characters, like a Logto user id
 * @property {string} username
 * @property {string} password
 * @property {string} name
 * @property {string} email
 * @property {boolean} email_verified
 * @property {string | null} picture
 */

/** @type {Account[]} */
export const LOCAL_ACCOUNTS = [
  {
    sub: "unzlfabysh60",
    username: "alice",
    password: "alice",
    name: "Alice Doe",
    email: "alice@example.com",
    email_verified: true,
    picture: "https://example.com/alice.png",
  },
  {
    sub: "k3v9tq27xwpd",
    username: "bob",
    password: "bob",
    name: "Bob Roe",
    email: "bob@example.com",
    // Not verified, to test programs that should not trust such an address.
    email_verified: false,
    // Logto sends null for a user without a picture.
    picture: null,
  },
];

// Milliseconds, as Logto sends them; OpenID Connect requires seconds.
const CREATED_AT_MS = Date.UTC(2026, 0, 1);

/** Which claims a user scope discloses, at userinfo and in the ID token. */
export const CLAIMS_OF_SCOPE = {
  openid: ["sub"],
  profile: ["name", "preferred_username", "picture", "updated_at", "username", "created_at"],
  email: ["email", "email_verified"],
};

/** All claims about an account; the engine filters them by the scopes granted. */
export function claimsOf({ sub, username, name, email, email_verified, picture }) {
  return {
    sub,
    name,
    preferred_username: username,
    picture,
    updated_at: CREATED_AT_MS,
    username,
    created_at: CREATED_AT_MS,
    email,
    email_verified,
  };
}

/** Returns the account with this user name or e-mail address, if the password is correct. */
export function authenticate(accounts, login, password) {
  const wanted = login.trim().toLowerCase();
  const account = accounts.find(({ username, email }) => wanted === username || wanted === email);
  return account?.password === password ? account : undefined;
}

// The result of `whoami`, or the tools of a server without it, as text for a terminal.

import { safe, tableLines } from "./gateway/text.mjs";

const LABELS = [
  ["username", "user name"],
  ["email", "e-mail"],
  ["picture", "picture"],
  ["sub", "subject"],
  ["issuer", "issuer"],
  ["client_id", "client"],
  ["scopes", "scopes"],
  ["expires_at", "token ends"],
];

const WIDTH = Math.max(...LABELS.map(([, label]) => label.length));

/** @param {Record<string, unknown>} identity  the structured content of the tool's answer */
export function card(identity) {
  const title = identity.name ?? identity.username ?? identity.sub;
  const rows = LABELS.map(([member, label]) => [label, show(member, identity)]).filter(([, text]) => text !== undefined);
  const lines = rows.map(([label, text]) => `    ${label.padEnd(WIDTH)}   ${plain(text)}`);
  return `\n  ${plain(String(title))}\n\n${lines.join("\n")}\n`;
}

function show(member, identity) {
  const value = identity[member];
  if (value === undefined || value === null) return undefined;
  switch (member) {
    case "email":
      return `${value} (${identity.email_verified === true ? "verified" : "not verified"})`;
    case "client_id":
      return identity.client_party === undefined ? value : `${value} (${identity.client_party}-party)`;
    case "scopes":
      return value.join(" ");
    case "expires_at":
      return new Date(value * 1000).toLocaleString("sv");
    default:
      return String(value);
  }
}

/** @param {{name: string, description?: string}[]} tools  of a server that has no tool `whoami` */
export function toolList(tools) {
  if (tools.length === 0) return '\n  You are signed in. This server has no tool "whoami", and none that your scopes allow.\n';
  const rows = tools.map(({ name, description }) => [safe(name), safe(description)]);
  const lines = tableLines(["tool", "description"], rows, [40], { indent: 4 });
  return `\n  You are signed in. This server has no tool "whoami"; you may use:\n\n${lines.join("\n")}\n`;
}

/** Removes control characters, which a terminal could execute. */
export function plain(text) {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

// The result of a tool call as elements: an identity as a card, other results as text and data.

import { h, scrollable } from "../dom.js";

const LABELS = {
  sub: "User id",
  username: "User name",
  picture: "Picture",
  issuer: "Issuer",
  client_id: "Client",
  client_party: "Client is",
  kind: "Acts for",
  credential: "Signed in with",
  key_id: "Key id",
  scopes: "Scopes",
  expires_at: "Access ends",
};

const VALUES = {
  client_party: { first: "the operator's own", third: "third-party" },
  kind: { user: "a user", machine: "itself" },
  credential: { access_token: "an access token", access_key: "an access key", personal_access_token: "a personal access token" },
};

/** Creates the view of a result of `tools/call`. */
export function resultView(tool, result) {
  const { content = [], isError, resultType = "complete" } = result;
  // What else a result may be, such as a question to the client, is shown as it is.
  const structuredContent = resultType === "complete" ? result.structuredContent : result;
  if (isError) return h("div", { class: "problem" }, h("h3", {}, `${tool.name} returned an error`), contentView(content));
  // A result with a subject is an identity, of any tool.
  if (typeof structuredContent?.sub === "string") return identityCard(structuredContent);
  const body = structuredContent === undefined ? contentView(content) : scrollable("Result", JSON.stringify(structuredContent, null, 2));
  return h("div", { class: "card" }, h("h3", {}, tool.title ?? tool.name), body);
}

function identityCard(claims) {
  const { name, username, email, email_verified: verified, sub, ...others } = claims;
  const called = name ?? username ?? sub;
  const rows = Object.entries({ sub, username, ...others }).filter(([, value]) => value !== undefined);
  return h(
    "div",
    { class: "card identity" },
    h("span", { class: "initial", "aria-hidden": "true" }, [...called][0]),
    h("h3", {}, called),
    email && h("p", {}, email, " ", verified !== undefined && h("span", { class: "tag" }, verified ? "verified" : "not verified")),
    h("dl", {}, rows.map(([key, value]) => h("div", {}, h("dt", {}, LABELS[key] ?? key), h("dd", {}, valueView(key, value))))),
  );
}

function valueView(key, value) {
  if (key === "expires_at") return timeView(value);
  if (Array.isArray(value)) return value.map((one) => [h("code", {}, String(one)), " "]).flat();
  return VALUES[key]?.[value] ?? (typeof value === "object" ? JSON.stringify(value) : String(value));
}

function timeView(seconds) {
  const time = new Date(seconds * 1000);
  const minutes = Math.max(0, Math.round((time - Date.now()) / 60_000));
  return h("time", { datetime: time.toISOString() }, `${time.toLocaleTimeString()}, in ${minutes} min`);
}

const contentView = (content) => content.map((item) => scrollable("Result", item.text ?? JSON.stringify(item, null, 2)));

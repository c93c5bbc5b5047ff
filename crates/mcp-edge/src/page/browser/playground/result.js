// What a tool said, for people: an identity as a card, anything else as text and data.

import { h, scrollable } from "../dom.js";

const LABELS = {
  sub: "User id",
  username: "User name",
  name: "Name",
  email: "E-mail",
  picture: "Picture",
  issuer: "Issuer",
  client_id: "Client",
  client_party: "Client is",
  kind: "Acts for",
  scopes: "Scopes",
  expires_at: "Access ends",
};

const VALUES = {
  client_party: { first: "the operator's own", third: "third-party" },
  kind: { user: "a user", machine: "itself" },
};

/** The result of `tools/call` as elements. */
export function resultView(tool, { content = [], structuredContent, isError }) {
  if (isError) return h("div", { class: "problem" }, h("h3", {}, `${tool.name} reports a failure`), texts(content));
  // The mark of an identity is its subject, whatever the tool is called.
  if (typeof structuredContent?.sub === "string") return identityCard(structuredContent);
  const said = structuredContent === undefined ? texts(content) : scrollable("Result", JSON.stringify(structuredContent, null, 2));
  return h("div", { class: "card" }, h("h3", {}, tool.title ?? tool.name), said);
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

const texts = (content) => content.map((item) => scrollable("Result", item.text ?? JSON.stringify(item, null, 2)));

// The issuer of a tenant, from its discovery document.

import { isPrivate } from "../loopback.mjs";
import { createSender } from "./http.mjs";
import { plain, Problem } from "./problem.mjs";

/**
 * @param {string} endpoint  origin of the tenant
 * @param {import("./http.mjs").Options} [http]
 * @returns {Promise<{issuer: string, note?: string}>}
 */
export async function discover(endpoint, http) {
  const url = `${endpoint}/oidc/.well-known/openid-configuration`;
  const { status, json } = await createSender(http)(url, { headers: { accept: "application/json" } });
  if (status !== 200 || typeof json?.issuer !== "string") {
    throw new Problem(`${url} has no discovery document (status ${status})`, {
      why: status >= 500 ? "Logto, or a proxy in front of it, has failed." : "There is no Logto at this URL.",
      fix: "Set ENDPOINT to the origin of the tenant, such as https://<tenant>.logto.app.",
    });
  }
  const { issuer } = json;
  if (!isAcceptable(issuer)) {
    throw new Problem(`the Worker would not accept the issuer in ${url}: ${plain(issuer)}`, {
      why: "An issuer must be an https URL in its normal form; plain http is for this machine only.",
      fix: "Set Logto's own ENDPOINT to its public URL, and TRUST_PROXY_HEADER=1 if a proxy in front of it ends https.",
    });
  }
  const note =
    issuer === `${endpoint}/oidc`
      ? undefined
      : `the tenant calls itself ${issuer}, not ${endpoint}/oidc: ISSUER is set to the former. Tokens carry it, and the Worker fetches its keys from there`;
  return { issuer, note };
}

/** Whether it is a URL as the settings of the Worker take it, and safe to print. */
function isAcceptable(issuer) {
  if (!URL.canParse(issuer)) return false;
  const url = new URL(issuer);
  return url.href === issuer && isPrivate(url);
}

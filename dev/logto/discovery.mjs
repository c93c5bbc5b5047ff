// The issuer of a tenant, from its discovery document.

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
  if (!URL.canParse(issuer)) throw new Problem(`the issuer in ${url} is not a URL: ${plain(issuer)}`);
  const note =
    issuer === `${endpoint}/oidc`
      ? undefined
      : `the tenant calls itself ${issuer}, not ${endpoint}/oidc: ISSUER is set to the former. Tokens carry it, and the Worker fetches its keys from there`;
  return { issuer, note };
}

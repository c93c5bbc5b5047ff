// Which secrets the Workers need from Logto, and the steps that put them there.

import { randomBytes } from "node:crypto";
import { applicationRef } from "./plan-applications.mjs";
import { Problem } from "./problem.mjs";
import { putSecret, secretNames } from "./secrets.mjs";
import { create, keep, leave } from "./steps.mjs";

/**
 * @typedef {{name: string, use?: string, member?: "id" | "secret"}} WantedSecret
 *   the id or the secret of an application; without a use, a random text
 */

/** The secrets of the Worker and of the registrar. @param {{applications: {use: string}[]}} wanted */
export function wantedSecrets({ applications }) {
  const has = (use) => applications.some((application) => application.use === use);
  const pair = (use, prefix) => [
    { name: `${prefix}_CLIENT_ID`, use, member: "id" },
    { name: `${prefix}_CLIENT_SECRET`, use, member: "secret" },
  ];
  return {
    worker: has("introspection") ? pair("introspection", "INTROSPECTION") : [],
    registrar: has("registrar")
      ? [...pair("registrar", "MANAGEMENT"), { name: "PORTAL_CLIENT_SECRET", use: "portal", member: "secret" }, { name: "SESSION_SECRET" }]
      : [],
  };
}

/**
 * Steps for the secrets of one Worker, each with `secret`. A value that is there cannot be read, so it is replaced only
 * if its application is new.
 * @param {string} file  its wrangler.toml, for the operator
 * @param {WantedSecret[]} secrets
 * @param {Record<string, string>} ids  of applications that exist already
 * @param {import("./secrets.mjs").Wrangler} wrangler
 */
export async function planSecrets(file, secrets, ids, wrangler) {
  if (secrets.length === 0) return [];
  const { names, reason } = await secretNames(wrangler);
  if (names === undefined) {
    const subject = `${file}: secrets ${secrets.map(({ name }) => name).join(", ")}`;
    const deploy = file === "wrangler.toml" ? "make deploy" : `dev/with-tools wrangler deploy --config ${file}`;
    return [leave(subject, `${reason}. After "${deploy}", run this command again`, { isIncomplete: true })];
  }
  return secrets.map((secret) => {
    const subject = `${file}: secret ${secret.name}`;
    const isNew = secret.use !== undefined && ids[applicationRef(secret.use)] === undefined;
    if (names.includes(secret.name) && !isNew) return keep(subject, ["it is set; its value cannot be compared"]);
    return { ...create(subject, []), secret };
  });
}

/**
 * Puts the secrets of the steps.
 * @param {(step: object, problem?: Problem) => void} report
 * @returns {Promise<number>} how many failed
 */
export async function applySecrets(steps, ids, client, wrangler, report) {
  let failed = 0;
  for (const step of steps.filter(({ secret }) => secret !== undefined)) {
    const value = await valueOf(step.secret, ids, client);
    const reason = value === undefined ? "its application was not made" : await putSecret(wrangler, step.secret.name, value);
    if (reason !== undefined) failed += 1;
    report(step, reason && new Problem(reason, { fix: "Run the same command again.", isFatal: false }));
  }
  return failed;
}

async function valueOf({ use, member }, ids, client) {
  if (use === undefined) return randomBytes(32).toString("base64");
  const id = ids[applicationRef(use)];
  if (id === undefined || member === "id") return id;
  const secrets = await client.get(`/applications/${encodeURIComponent(id)}/secrets`);
  const usable = secrets.filter(({ expiresAt }) => !expiresAt || expiresAt > Date.now());
  return usable.sort((one, other) => other.createdAt - one.createdAt)[0]?.value;
}

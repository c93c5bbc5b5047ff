// Which secrets the Workers need from Logto, and the steps that put them there.

import { randomBytes } from "node:crypto";
import { MARK, recordOf, withRecord } from "./mark.mjs";
import { applicationRef } from "./plan-applications.mjs";
import { Problem } from "./problem.mjs";
import { putSecret } from "./secrets.mjs";
import { validSecrets } from "./state.mjs";
import { change, create, keep, leave } from "./steps.mjs";

/** What is recorded for a secret that holds the id of its application. */
const ID = 0;

/**
 * @typedef {{name: string, use?: string, member?: "id" | "secret", isByHand?: boolean}} WantedSecret
 *   the id or the secret of an application; without a use, a random text. `isByHand`: one of which the operator keeps a copy
 *
 * @typedef {object} WorkerFile
 * @property {string} name  of its wrangler.toml, for the operator
 * @property {string} worker  its name
 * @property {Record<string, string>} settings
 * @property {WantedSecret[]} secrets
 * @property {string[]} [secretNames]  that it has
 * @property {string} [reason]  why they cannot be read
 */

/** The secrets of the Workers. @param {{applications: {use: string}[]}} wanted */
export function wantedSecrets({ applications }) {
  const has = (use, worker) => applications.some((application) => application.use === use && (worker === undefined || application.worker === worker));
  const exchange = (worker) => (has("exchange", worker) ? pair("exchange", "PAT") : []);
  const pair = (use, prefix) => [
    { name: `${prefix}_CLIENT_ID`, use, member: "id" },
    { name: `${prefix}_CLIENT_SECRET`, use, member: "secret" },
  ];
  return {
    worker: [...(has("introspection") ? pair("introspection", "INTROSPECTION") : []), ...exchange("worker")],
    vault: [
      ...(has("vault") ? [{ name: "VAULT_CLIENT_SECRET", use: "vault", member: "secret" }, { name: "VAULT_SECRET", isByHand: true }] : []),
      ...exchange("vault"),
    ],
    registrar: has("registrar")
      ? [...pair("registrar", "MANAGEMENT"), { name: "PORTAL_CLIENT_SECRET", use: "portal", member: "secret" }, { name: "SESSION_SECRET" }]
      : [],
  };
}

/**
 * Which applications a Worker has already, although nothing tells which they are: their ids are secrets, too.
 * @param {WorkerFile[]} files
 * @returns {Record<string, string>}  use → why none is made
 */
export function heldApplications(files) {
  const held = {};
  for (const { name: file, settings, secrets, secretNames = [] } of files) {
    for (const { name: id, use } of secrets.filter(({ member }) => member === "id")) {
      const names = secrets.filter((secret) => secret.use === use).map(({ name }) => name);
      if (Object.hasOwn(settings, id) || !names.every((name) => secretNames.includes(name))) continue;
      const fix = names.map((name) => `dev/with-tools wrangler secret delete ${name} --config ${file}`).join("; ");
      held[use] = `the Worker of ${file} has the secrets ${names.join(" and ")} already, set by hand, which cannot be read. If their application was deleted or is another tenant's: ${fix}; then run this command again`;
    }
  }
  return held;
}

/**
 * Steps for the secrets of one Worker; those that put one have `secret`.
 *
 * A value that is there cannot be read. What this program has put is recorded in its application, so that a secret that it
 * could not put is put the next time. Where somebody has made the application by hand, the secret is theirs, too.
 * @param {WorkerFile} file
 * @param {import("./state.mjs").State} state
 * @param {import("./plan.mjs").Plan} plan
 */
export function planSecrets({ name: file, worker, settings, secrets, secretNames, reason }, state, plan) {
  // An id in wrangler.toml is a setting.
  const isSetting = ({ name, member }) => member === "id" && Object.hasOwn(settings, name);
  const wanted = secrets.filter((secret) => !isSetting(secret));
  if (wanted.length > 0 && secretNames === undefined) {
    return [leave(`${file}: secrets ${wanted.map(({ name }) => name).join(", ")}`, reason, { isIncomplete: true })];
  }
  return wanted.map((secret) => planSecret(`${file}: secret ${secret.name}`, secret));

  function planSecret(subject, secret) {
    const { name, use, member, isByHand } = secret;
    if (Object.hasOwn(settings, name)) {
      return leave(subject, `it is in ${file} in clear text, where a secret of this name cannot be put beside it. Remove it there, add a new secret to the application in the console, and run this command again`, { isIncomplete: true });
    }
    const isSet = secretNames.includes(name);
    const put = (detail) => ({ ...(isSet ? change(subject, [detail], []) : create(subject, [])), secret });
    const same = keep(subject, ["it is set; its value cannot be compared"]);
    if (isByHand && !isSet) {
      return leave(subject, `you keep a copy of it: with another one every key is unknown. Make one with "openssl rand -base64 32", and put it with "dev/with-tools wrangler secret put ${name} --config ${file}"`, { isIncomplete: true });
    }
    if (use === undefined) return isSet ? same : put();
    const id = plan.ids[applicationRef(use)];
    if (id === undefined) {
      if (isMade(applicationRef(use))) return put("that of another application → the new one's");
      return isSet ? same : leave(subject, "its application was left alone", { isIncomplete: true });
    }
    if (member === "secret" && state.secrets[id].length === 0) return leave(subject, `the application ${id} has no secret that is valid. Add one in the console, and run this command again`, { isIncomplete: true });
    if (!isSet) return put();
    const application = state.applications.find((each) => each.id === id);
    if (application.customData?.[MARK] === undefined) return same;
    const record = recordOf(application, worker, name);
    if (record === undefined) return put("it is set, but not by this program: that → its application's");
    if (member === "secret" && !state.secrets[id].includes(record)) return put("one that was deleted or has expired → the newest of its application");
    return same;
  }

  function isMade(reference) {
    return plan.steps.some(({ calls }) => calls.some(({ gives }) => gives === reference));
  }
}

/**
 * Puts the secrets of the steps, and records each.
 * @param {WorkerFile} file
 * @param {(step: object, problem?: Problem) => void} report
 * @returns {Promise<number>} how many failed
 */
export async function applySecrets({ name: file, worker }, steps, ids, client, wrangler, report) {
  let failed = 0;
  for (const step of steps.filter(({ secret }) => secret !== undefined)) {
    try {
      await applySecret(step.secret);
      report(step);
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.isFatal) throw problem;
      failed += 1;
      report(step, problem);
    }
  }
  return failed;

  async function applySecret({ name, use, member }) {
    const id = ids[applicationRef(use)];
    if (use !== undefined && id === undefined) throw new Problem("its application was not made", { fix: "Run the same command again.", isFatal: false });
    const { value, record } = await valueOf(use, member, id);
    const reason = await putSecret(wrangler, file, name, value);
    if (reason !== undefined) throw new Problem(reason, { fix: "Run the same command again.", isFatal: false });
    if (use !== undefined) await keepRecord(id, name, record);
  }

  async function valueOf(use, member, id) {
    if (use === undefined) return { value: randomBytes(32).toString("base64") };
    if (member === "id") return { value: id, record: ID };
    const [newest] = await validSecrets(client, id);
    if (newest === undefined) throw new Problem(`the application ${id} has no secret that is valid`, { fix: "Add one in the console, and run the same command again.", isFatal: false });
    return { value: newest.value, record: newest.createdAt };
  }

  async function keepRecord(id, name, record) {
    const path = `/applications/${encodeURIComponent(id)}`;
    const application = await client.get(path, "application");
    if (application.customData?.[MARK] === undefined) return;
    await client.call("PATCH", `${path}/custom-data`, withRecord(application, worker, name, record));
  }
}

// `make gateway-keys`: the first key of a gateway, and the rotation of later ones.

import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { plain, Problem } from "../logto/problem.mjs";
import { replaceFile } from "../logto/replace-file.mjs";
import { decodeConfig, readName, readSettings, setSettings } from "../logto/wrangler-file.mjs";
import { keysInSettings, publishedKeys, SETTING } from "./public-keys.mjs";
import { DRAIN_MINUTES, minutesLeft, openRotation, PUBLISH_MINUTES } from "./rotation.mjs";
import { openSecretStore } from "./secret-store.mjs";
import { createSigningKey, createStateSecret, publicPart } from "./signing-key.mjs";

const KEY = "UPSTREAM_SIGNING_KEY";
const AGAIN = "make gateway-keys ARGS=--rotate";

/**
 * @typedef {object} Surroundings
 * @property {string} root
 * @property {string} folder  for a folder of each Worker, with files that only their owner can read
 * @property {(text: string) => void} print
 * @property {(question: string) => Promise<boolean>} confirm
 * @property {(config: string) => import("../logto/secrets.mjs").Wrangler} wranglerFor
 * @property {typeof fetch} fetch
 * @property {() => number} now  milliseconds since 1970
 *
 * @param {{rotate: boolean, yes: boolean, now: boolean, "dry-run": boolean, config: string}} options
 * @param {Surroundings} surroundings
 * @throws {Problem}
 */
export async function run(options, surroundings) {
  const { root, wranglerFor } = surroundings;
  const path = resolve(root, options.config);
  const bytes = await readFile(path).catch(() => {
    throw new Problem(`${path} cannot be read`, { fix: "Name another one with --config." });
  });
  const file = relative(root, path);
  const text = decodeConfig(bytes, file);
  const settings = readSettings(text, file);
  const worker = readName(text, file) ?? file;
  // One for each Worker: two of them never share a key.
  const folder = join(surroundings.folder, worker.replaceAll(/[^\w-]/g, "_"));
  for (const name of [KEY, "STATE_SECRET"].filter((each) => Object.hasOwn(settings, each))) {
    throw new Problem(`${name} is in ${file} in clear text`, { why: "Who can read the file can read it, and a secret of this name cannot be put beside it.", fix: "Remove it there, and run this command again: it makes a new one." });
  }
  const store = await openSecretStore({ wrangler: wranglerFor(path), file, root, folder });
  const context = { options, surroundings, folder, path, bytes, file, text, settings, worker, store, ask: question(options, surroundings) };
  return options.rotate ? rotate(context) : createFirst(context);
}

const question = ({ yes, "dry-run": isDryRun }, { confirm, print }) => async (text) => {
  if (!isDryRun && (yes || (await confirm(text)))) return true;
  print(`Nothing was changed${isDryRun ? ", because only the plan was asked for" : ""}.`);
  return false;
};

async function createFirst({ surroundings: { print }, file, settings, worker, store, ask }) {
  const needsKey = (settings.UPSTREAM_AUTH || "assertion") === "assertion";
  const missing = [needsKey && KEY, "STATE_SECRET"].filter((name) => name && store.has(name) !== true);
  if (!needsKey) print(`· UPSTREAM_AUTH is "${settings.UPSTREAM_AUTH}" in ${file}: no key is needed.`);
  else if (!missing.includes(KEY)) print(`✓ ${KEY} is set. To replace it without an interruption: ${AGAIN}`);
  if (settings.UPSTREAM_AUTH === "secret" && store.has("UPSTREAM_SECRET") === false) print(`! UPSTREAM_SECRET is not set: dev/with-tools wrangler secret put UPSTREAM_SECRET --config ${file} asks for it.`);
  if (!missing.includes("STATE_SECRET")) print("✓ STATE_SECRET is set.");
  if (missing.length === 0) return 0;

  const left = await store.left(KEY);
  const key = missing.includes(KEY) ? (left === undefined ? await createSigningKey() : JSON.parse(left)) : undefined;
  print(`\n${store.isLoggedIn ? `Secrets of the Worker "${worker}" (${file})` : "wrangler is not logged in to Cloudflare, so these go into files that only you can read"}:\n`);
  if (key !== undefined) print(`+ ${KEY}  ${left === undefined ? "a new key" : "the key of an earlier run"}, ES256, kid ${key.kid}`);
  if (missing.includes("STATE_SECRET")) print("+ STATE_SECRET  32 random bytes");
  if (store.isNew) print("\nThe Worker is not deployed yet; wrangler creates it for its secrets.");
  print("");
  if (!(await ask("Do this?"))) return 0;

  const values = { [KEY]: key && JSON.stringify(key), STATE_SECRET: (await store.left("STATE_SECRET")) ?? createStateSecret() };
  const commands = [];
  for (const name of missing) {
    commands.push(...(await store.put(name, values[name])));
    if (store.isLoggedIn) print(`+ created  ${name}`);
  }
  if (commands.length > 0) {
    print(`\nLog in (dev/with-tools wrangler login, or CLOUDFLARE_API_TOKEN) and run:\n\n  ${commands.join("\n  ")}`);
    // Those are for a POSIX shell.
    print(`\nor log in and run "make gateway-keys" again, which puts ${commands.length === 1 ? "it" : "both"} in any shell.`);
  }
  if (key !== undefined) {
    print(`\nThe public key. The gateway publishes it at ${jwksUrl(settings)}:\n\n${JSON.stringify(publicPart(key), null, 2)}`);
  }
  return 0;
}

const jwksUrl = ({ RESOURCE }) => URL.parse("/.well-known/jwks.json", RESOURCE || undefined)?.href ?? "/.well-known/jwks.json";

async function rotate(context) {
  const { worker, folder, store } = context;
  if (store.has(KEY) === false) throw new Problem(`the Worker "${worker}" has no ${KEY}`, { fix: "make gateway-keys" });
  const rotation = openRotation(folder);
  const state = await rotation.read();
  if (state === undefined) return publish(context, rotation);
  return state.switchedAt === undefined ? switchTo(context, rotation, state) : withdraw(context, rotation, state);
}

/**
 * 1. Verifiers must know the next key before it signs, and the last one while its assertions are valid.
 * @param {object} [begun]  the next key of a run that did not come to its end
 */
async function publish({ surroundings: { print, fetch, root }, folder, path, bytes, file, text, settings, ask }, rotation, begun) {
  const listed = await keysInSettings(text, file);
  // The gateway publishes the key that signs before the others.
  const [current] = await publishedKeys(settings.RESOURCE, fetch);
  const next = begun ?? (await createSigningKey());
  const others = listed.filter(({ kid }) => kid !== current.kid);
  print(`\nStep 1 of 3: publish the next key before it signs.\n`);
  print(`~ ${file}: ${SETTING} gets the next key (kid ${next.kid}) and the one that signs now (kid ${current.kid})`);
  print(`+ ${relative(root, folder)}: the next private key, until step 2\n`);
  for (const { kid } of others) print(`! ${SETTING} also has the key ${plain(kid)}. If it is left of a rotation that was broken off, remove it from ${file} by hand: nobody has its private part.\n`);
  if (!(await ask("Do this?"))) return 0;
  // The private key first: it must not be lost once its public part is published.
  await rotation.write({ kid: next.kid, previous: current.kid, next });
  try {
    await write({ path, bytes, file, text }, [...others, publicPart(next), publicPart(current)]);
  } catch (error) {
    await rotation.remove();
    throw error;
  }
  print(`\nNext:\n\n  make deploy\n  ${AGAIN}      # finds the key published, and counts ${PUBLISH_MINUTES} minutes from then`);
  return 0;
}

/** 2. A new secret takes effect at once. */
async function switchTo(context, rotation, state) {
  const { options, surroundings: { print, fetch, now }, file, text, settings, store, ask } = context;
  const published = await publishedKeys(settings.RESOURCE, fetch);
  if (!published.some(({ kid }) => kid === state.kid)) {
    if (!(await keysInSettings(text, file)).some(({ kid }) => kid === state.kid)) return publish(context, rotation, state.next);
    throw new Problem("the next key is not published yet", { why: `${jwksUrl(settings)} has no key ${state.kid}.`, fix: `make deploy, and then: ${AGAIN}` });
  }
  if (state.publishedAt === undefined && !options.now) {
    print(`\n✓ The next key is published.`);
    if (!options["dry-run"]) await rotation.write({ ...state, publishedAt: now() });
    print(`\nNext:\n\n  ${AGAIN}      # after ${PUBLISH_MINUTES} minutes: upstreams may keep the old set of keys that long`);
    return 0;
  }
  const left = minutesLeft(state.publishedAt ?? now(), PUBLISH_MINUTES, now());
  if (left > 0 && !options.now) {
    throw new Problem(`it is too early to switch: ${left} minutes are left`, { why: `Upstreams may keep the old set of keys for ${PUBLISH_MINUTES} minutes, and would refuse what the next key signs.`, fix: `Wait, or add --now if yours ask again for a key that they do not know.` });
  }
  print(`\nStep 2 of 3: sign with the next key.\n\n~ ${KEY}  the key ${state.kid} in place of ${state.previous}\n`);
  if (!(await ask("Do this?"))) return 0;
  const commands = await store.put(KEY, JSON.stringify(state.next));
  const { next: _next, ...rest } = state;
  await rotation.write({ ...rest, switchedAt: now() });
  if (commands.length > 0) print(`\nLog in (dev/with-tools wrangler login, or CLOUDFLARE_API_TOKEN) and run:\n\n  ${commands.join("\n  ")}`);
  else print(`~ changed  ${KEY}`);
  print(`\nNext:\n\n  ${AGAIN}      # after ${DRAIN_MINUTES} minutes: no assertion of the old key is valid then`);
  return 0;
}

/** 3. The old key is no longer needed, and the new one is published because it signs. */
async function withdraw({ options, surroundings: { print, now }, path, bytes, file, text, store, ask }, rotation, state) {
  if ((await store.left(KEY)) !== undefined) {
    throw new Problem("the next key is not in the Worker yet", { why: "Without a login it was written to a file, which is still there.", fix: `Run ${store.commandFor(KEY)}` });
  }
  const left = minutesLeft(state.switchedAt, DRAIN_MINUTES, now());
  if (left > 0 && !options.now) throw new Problem(`it is too early to remove the old key: ${left} minutes are left`, { why: "Assertions that it signed may still be on their way.", fix: "Wait, or add --now." });
  const keys = (await keysInSettings(text, file)).filter(({ kid }) => kid !== state.kid && kid !== state.previous);
  print(`\nStep 3 of 3: remove the old key.\n\n~ ${file}: ${SETTING} loses ${state.previous} and ${state.kid}, which is published because it signs\n`);
  if (!(await ask("Do this?"))) return 0;
  await write({ path, bytes, file, text }, keys);
  await rotation.remove();
  print("\nNext:\n\n  make deploy");
  return 0;
}

async function write({ path, bytes, file, text }, keys) {
  // Somebody may have edited the file while the question was open.
  if (!(await readFile(path)).equals(bytes)) throw new Problem(`${file} was changed meanwhile`, { fix: "Run the same command again." });
  await replaceFile(path, setSettings(text, { [SETTING]: keys.length === 0 ? "" : JSON.stringify(keys) }, file));
}

/** Where files go. */
export const privateFolder = (root) => join(root, ".wrangler/gateway");

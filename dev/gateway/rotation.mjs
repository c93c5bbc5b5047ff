// What is left to do of a rotation, kept between runs: the next private key until it is switched to.

import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../logto/problem.mjs";
import { writePrivate } from "./write-private.mjs";

/**
 * The longest that verifiers keep a set of keys without asking again: FastMCP keeps keys for an hour, jose for 10 minutes,
 * PyJWT for 5. All three ask again for a key that they do not know, but not all libraries do.
 */
export const PUBLISH_MINUTES = 60;

/** Assertions are valid for one minute; clocks differ. */
export const DRAIN_MINUTES = 5;

/**
 * @typedef {object} Rotation
 * @property {string} kid         of the next key
 * @property {string} [previous]  `kid` of the key before it
 * @property {object} [next]      the private key; gone after the switch
 * @property {number} [publishedAt]  when a run found it published: milliseconds since 1970
 * @property {number} [switchedAt]
 *
 * @param {string} folder  of the Worker
 */
export function openRotation(folder) {
  const file = join(folder, "rotation.json");
  return {
    /** @returns {Promise<Rotation | undefined>} */
    async read() {
      const text = await readFile(file, "utf8").catch(() => undefined);
      if (text === undefined) return undefined;
      try {
        const rotation = JSON.parse(text);
        if (typeof rotation.kid === "string" && (typeof rotation.next?.d === "string" || typeof rotation.switchedAt === "number")) return rotation;
      } catch {
        // An incomplete file is reported like an invalid one.
      }
      throw new Problem(`${file} cannot be read`, { fix: "Delete it to begin the rotation anew." });
    },
    async write(rotation) {
      await mkdir(folder, { recursive: true });
      await writePrivate(file, `${JSON.stringify(rotation, null, 2)}\n`);
    },
    remove: () => rm(file, { force: true }),
  };
}

/** Minutes that are left of a pause. */
export const minutesLeft = (since, minutes, now) => Math.max(0, Math.ceil((since + minutes * 60_000 - now) / 60_000));

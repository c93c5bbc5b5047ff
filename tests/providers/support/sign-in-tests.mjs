// The tests that every server has: both official clients sign in and call `whoami`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signInWithPython, signInWithTypeScript, skipsPython } from "./official-clients.mjs";

const CLIENTS = [
  { name: "TypeScript", signIn: signInWithTypeScript, skip: false },
  { name: "Python", signIn: signInWithPython, skip: skipsPython },
];

/**
 * Adds them.
 * @param {() => import("./official-clients.mjs").SignIn} deployment  known when the tests run
 * @param {object} expected  members of the result of `whoami`
 */
export function testSignIns(deployment, expected) {
  for (const { name, signIn, skip } of CLIENTS) {
    for (const mode of ["legacy", "auto"]) {
      test(`the official ${name} client signs in and calls whoami (${mode})`, { skip }, async () => {
        const { whoami } = await signIn({ ...deployment(), mode });
        for (const [member, value] of Object.entries(expected)) assert.deepEqual(whoami[member], value, member);
      });
    }
  }
}

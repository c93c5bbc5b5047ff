// The questions of `make logto`: what is typed or pasted into them, and what of it is shown.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { askForCredentials, confirm } from "../dev/logto/prompt.mjs";

const ID = "m2m-application-id";
const SECRET = "s3cret-of-the-application";

/** A terminal: what is shown on it, and a way to type. */
function createTerminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, modes: [] });
  input.setRawMode = (isRaw) => input.modes.push(isRaw);
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  let shown = "";
  output.on("data", (chunk) => (shown += chunk));
  return {
    input,
    output,
    shown: () => shown,
    async type(...chunks) {
      for (const chunk of chunks) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        input.write(chunk);
      }
    },
  };
}

/** The answer to both questions for what is typed. */
async function ask(chunks, given = {}) {
  const terminal = createTerminal();
  const asked = askForCredentials(given, terminal);
  await terminal.type(...chunks);
  const credentials = await asked;
  return { credentials, shown: terminal.shown(), modes: terminal.input.modes };
}

describe("the credentials", () => {
  const both = { clientId: ID, clientSecret: SECRET };

  test("the id is shown while it is typed, the secret is not", async () => {
    const { credentials, shown, modes } = await ask([ID, "\r", SECRET, "\r"]);
    assert.deepEqual(credentials, both);
    assert.ok(shown.includes(ID));
    assert.ok(!shown.includes(SECRET.slice(0, 4)));
    assert.equal(modes.at(-1), false, "the terminal is as before");
  });

  test("both pasted at once, in lines or beside each other, show the id only", async () => {
    for (const between of ["\n", "\r\n", "\r", "\t", " ", "\n\n", "  \n "]) {
      const { credentials, shown } = await ask([`  ${ID}${between}${SECRET}\r`]);
      assert.deepEqual(credentials, both, JSON.stringify(between));
      assert.ok(!shown.includes(SECRET.slice(0, 4)), JSON.stringify(between));
    }
  });

  test("a paste that the terminal marks, arrow keys and other sequences are no part of an answer", async () => {
    const chunks = [`\u001b[200~${ID}\u001b[201~`, "\u001b[D\u001b[A\u001bOP\r", "\u001b[200~s3cret-of-", "\u001b[C\u001b", "[3~\u001b[1;5D", "the-application\u001b[201~", "\r"];
    assert.deepEqual((await ask(chunks)).credentials, both);
    assert.deepEqual((await ask([`${ID}\r`, `${SECRET}\u0001\u0000\u0008\u0008on\r`])).credentials, both);
  });

  test("corrections", async () => {
    const { credentials, shown } = await ask([`x\u0015${ID}é\u007f`, "\r", `wrong\u0015${SECRET}\u{1f600}\u007f\r`]);
    assert.deepEqual(credentials, both);
    assert.ok(!shown.includes("\u0015"));
  });

  test("what the environment has is not asked for", async () => {
    assert.deepEqual((await ask([`${SECRET}\r`], { clientId: ID })).credentials, both);
    assert.deepEqual((await ask([`${ID}\r`], { clientSecret: SECRET })).credentials, both);
    assert.deepEqual(await askForCredentials(both, createTerminal()), both);
  });

  test("Ctrl-C, Ctrl-D and a terminal that goes away cancel", async () => {
    for (const key of ["\u0003", "\u0004", `${ID}\u0003`, `${ID}\r\u0004`]) {
      await assert.rejects(ask([key]), /cancelled; nothing was changed/, JSON.stringify(key));
    }
    const terminal = createTerminal();
    const asked = askForCredentials({}, terminal);
    terminal.input.end();
    await assert.rejects(asked, /cancelled; nothing was changed/);
  });

  test("an empty answer is no credential", async () => {
    await assert.rejects(ask(["\r", `${SECRET}\r`]), /without credentials/);
  });
});

describe("whether to go on", () => {
  const answer = async (...chunks) => {
    const terminal = createTerminal();
    const asked = confirm("Do this?", terminal);
    await terminal.type(...chunks);
    return asked;
  };

  test("only a yes is one", async () => {
    for (const text of ["y\r", "yes\r", "Y\n", "n\u007fy\r"]) assert.equal(await answer(text), true, JSON.stringify(text));
    for (const text of ["\r", "n\r", "yess\r", "y y\r", "\u001b[A\r"]) assert.equal(await answer(text), false, JSON.stringify(text));
    await assert.rejects(answer("\u0004"), /cancelled/);
    await assert.rejects(answer("\u0003"), /cancelled/);
  });

  test("what was pasted with the credentials does not answer it", async () => {
    const terminal = createTerminal();
    const asked = askForCredentials({}, terminal);
    await terminal.type(`${ID}\n${SECRET}\ny\n`);
    assert.deepEqual(await asked, { clientId: ID, clientSecret: SECRET });
    const confirmed = confirm("Do this?", terminal);
    await terminal.type("n\r");
    assert.equal(await confirmed, false);
  });
});

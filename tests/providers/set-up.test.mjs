// What `dev/setup providers` installs does not depend on the machine where the lists were written, or on the day.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const read = (file) => readFile(new URL(`../../dev/setup-parts/${file}`, import.meta.url), "utf8");

test("the lists of Python packages have nothing but versions with their checksums", async () => {
  for (const file of ["providers.txt", "python-client.txt"]) {
    const lines = (await read(file)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const others = lines.filter((line) => !/^(?:[\w.-]+(?:\[\w+\])?==[\w.+]+ \\| {4}--hash=sha256:[0-9a-f]{64}(?: \\)?)$/.test(line));
    assert.deepEqual(others, [], file);
  }
});

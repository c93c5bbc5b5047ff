// Writes a file as a whole.

import { randomUUID } from "node:crypto";
import { chmod, realpath, rename, rm, stat, writeFile } from "node:fs/promises";

/** Replaces the text of a file, or of the file that it is a link to. An interruption leaves one of the two versions. */
export async function replaceFile(path, text) {
  const target = await realpath(path);
  const { mode } = await stat(target);
  const draft = `${target}.${randomUUID()}.new`;
  try {
    await writeFile(draft, text, { mode, flag: "wx" });
    // The process's mask has taken rights away.
    await chmod(draft, mode);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

// The modes of what is packed: an archive keeps them, and without this they would be those of the umask.

import { chmodSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Gives every file in a folder one of two modes: 755 if its owner may execute it, otherwise 644.
 * @param {string} folder
 */
export function fixModes(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}

import { randomBytes } from "node:crypto";

/** The value of a new client secret. */
export function newSecret() {
  return randomBytes(24).toString("base64url");
}

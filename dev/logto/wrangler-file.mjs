// The settings in a Worker's configuration, wrangler.toml or wrangler.jsonc. Of the latter, those of the environment in CLOUDFLARE_ENV,
// which wrangler takes as well.

import process from "node:process";
import * as jsonc from "./wrangler-jsonc.mjs";
import * as toml from "./wrangler-toml.mjs";

export { decodeToml as decodeConfig } from "./wrangler-toml.mjs";

const isJson = (file) => /\.jsonc?$/.test(file ?? "");
const environment = () => process.env.CLOUDFLARE_ENV || undefined;

/** See wrangler-toml.mjs; so are the others. */
export const readSettings = (text, file) => (isJson(file) ? jsonc.readSettings(text, file, environment()) : toml.readSettings(text, file));

/** All variables, of any type. */
export const readVariables = (text, file) => (isJson(file) ? jsonc.readVariables(text, file, environment()) : toml.readVariables(text, file));

export const readName = (text, file) => (isJson(file) ? jsonc.readName(text, file, environment()) : toml.readName(text, file));

export const setSettings = (text, values, file) => (isJson(file) ? jsonc.setSettings(text, values, file, environment()) : toml.setSettings(text, values, file));

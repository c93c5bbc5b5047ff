// package.json of a project.

import { NODE, WRANGLER } from "../versions.mjs";

/**
 * @param {import("../answers.mjs").Answers} answers
 * @param {string} version  of mcp-edge
 */
export function packageJson(answers, version) {
  return `${JSON.stringify({
    name: answers.name,
    private: true,
    type: "module",
    engines: { node: NODE },
    scripts: scripts(answers),
    devDependencies: { "mcp-edge": version, wrangler: WRANGLER },
    // Programs for this machine, which wrangler needs.
    allowScripts: { esbuild: true, workerd: true },
  }, null, 2)}\n`;
}

function scripts({ provider, mode, vault, registrar }) {
  const deploy = (place) => [
    // The endpoint binds it, and a missing target fails a deployment.
    ...(vault ? [`wrangler deploy --config vault/wrangler.jsonc --env ${place}`] : []),
    `wrangler deploy --env ${place}`,
  ].join(" && ");
  return {
    dev: "mcp-edge dev",
    whoami: "mcp-edge whoami",
    doctor: "mcp-edge doctor",
    explain: "mcp-edge explain --env production",
    ...(provider === "logto" && { logto: "mcp-edge logto --env production" }),
    ...(mode === "gateway" && { "gateway-scopes": "mcp-edge gateway-scopes --env production", "gateway-keys": "mcp-edge gateway-keys --env production" }),
    ...(vault && { keys: "mcp-edge keys" }),
    deploy: deploy("production"),
    "deploy:staging": deploy("staging"),
    ...(registrar && {
      "deploy:registrar": "wrangler deploy --config registrar/wrangler.jsonc --env production",
      "deploy:registrar:staging": "wrangler deploy --config registrar/wrangler.jsonc --env staging",
    }),
  };
}

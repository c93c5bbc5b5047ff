// Certificates of an authority that nobody trusts, made with openssl.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What `openssl ca`, with which alone every version can set the dates, has to be given in a file. */
const AUTHORITY = `[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
rand_serial = yes
certificate = ca.pem
private_key = ca.key
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
`;

/** Why the tests that need certificates are skipped. `false` if they are not. */
export const skipsCertificates = () => spawnSync("openssl", ["version"]).status !== 0 && "there is no openssl, which makes certificates";

/**
 * @typedef {{key: string, cert: string}} Pair  in PEM
 *
 * Makes an authority.
 * @returns {{file: string, own: Pair, certificate: (options: {names?: string, days?: [string, string]}) => Pair, forget: () => void}}
 *   `file` is its certificate, `own` the same with its key; `names` are those of `subjectAltName`, none without them; `days` begin and end of its validity
 */
export function makeAuthority() {
  const folder = mkdtempSync(join(tmpdir(), "mcp-edge-authority-"));
  const path = (name) => join(folder, name);
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...KEY, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem");
  writeFileSync(path("index.txt"), "");
  let made = 0;

  const own = { key: readFileSync(path("ca.key"), "utf8"), cert: readFileSync(path("ca.pem"), "utf8") };
  return { file: path("ca.pem"), own, certificate, forget: () => rmSync(folder, { recursive: true }) };

  function certificate({ names, days: [from, to] = ["20200101000000Z", "20990101000000Z"] }) {
    const name = `${(made += 1)}`;
    const extensions = `basicConstraints = CA:FALSE\n${names === undefined ? "" : `subjectAltName = ${names}\n`}`;
    writeFileSync(path(`${name}.cnf`), `${AUTHORITY}[extensions]\n${extensions}`);
    openssl("req", ...KEY, "-subj", "/CN=localhost", "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signs = ["-batch", "-notext", "-extensions", "extensions", "-startdate", from, "-enddate", to];
    openssl("ca", "-config", `${name}.cnf`, ...signs, "-in", `${name}.csr`, "-out", `${name}.pem`);
    return { key: readFileSync(path(`${name}.key`), "utf8"), cert: readFileSync(path(`${name}.pem`), "utf8") };
  }
}

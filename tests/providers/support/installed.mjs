// What `dev/setup providers` has installed. Without a server its tests are skipped, with the reason; with
// REQUIRE_PROVIDERS=1 they fail.

import { existsSync, globSync } from "node:fs";
import { delimiter } from "node:path";

// Each of Debian's servers is unpacked into a folder of its own.
const debian = (name) => `${process.env.PROVIDERS_DEBIAN ?? ""}/${name}`;

// The paths of libraries contain the kind of machine, and those of modules the version of Perl.
const found = (root, ...patterns) => patterns.flatMap((pattern) => globSync(`${root}/${pattern}`)).join(delimiter);
const libraries = (root) => found(root, "usr/lib/*-linux-gnu*", "lib/*-linux-gnu*");

/** A Python that has the servers written in Python. */
export const python = process.env.PROVIDERS_PYTHON ?? "";

const ofGlewlwyd = debian("glewlwyd");

/** The parts of Debian's package `glewlwyd`. */
export const glewlwyd = {
  program: `${ofGlewlwyd}/usr/bin/glewlwyd`,
  modules: `${ofGlewlwyd}/usr/lib/glewlwyd`,
  schema: `${ofGlewlwyd}/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3`,
  env: { LD_LIBRARY_PATH: libraries(ofGlewlwyd) },
};

const ofLemonldap = debian("lemonldap-ng");

/** The parts of Debian's package `liblemonldap-ng-portal-perl`, and Perl's web server. */
export const lemonldap = {
  server: `${ofLemonldap}/usr/bin/plackup`,
  configuration: `${ofLemonldap}/var/lib/lemonldap-ng/conf/lmConf-1.json`,
  portal: `${ofLemonldap}/usr/share/lemonldap-ng/portal`,
  env: {
    LD_LIBRARY_PATH: libraries(ofLemonldap),
    PERL5LIB: found(ofLemonldap, "usr/share/perl5", "usr/lib/*-linux-gnu*/perl5/*"),
  },
};

export const skipsAuthgent = () => without("authgent-server", python);
export const skipsDjango = () => without("django-oauth-toolkit", python);
export const skipsGlewlwyd = () => without("glewlwyd", glewlwyd.program);
export const skipsLemonldap = () => without("LemonLDAP::NG", lemonldap.server);

/**
 * Returns why the tests of a server are skipped, or `false`.
 * @param {string} name  of the server, for people
 * @param {string} file  which is there if it is installed
 * @param {string} [part]  of the set-up that installs it
 * @throws {Error} if it is not, and must be
 */
export function without(name, file, env = process.env, part = "providers") {
  if (existsSync(file)) return false;
  const reason = `no ${name} here: dev/setup ${part} says why`;
  if (env.REQUIRE_PROVIDERS === "1") throw new Error(reason);
  return reason;
}

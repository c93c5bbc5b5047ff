// What `dev/setup providers` has installed. Without a server its tests are skipped, with the reason.

import { existsSync, globSync } from "node:fs";
import { delimiter } from "node:path";

const debian = process.env.PROVIDERS_DEBIAN ?? "";

// The paths of libraries contain the kind of machine and the version of Perl.
const folders = (...patterns) => (debian === "" ? [] : patterns.flatMap((pattern) => globSync(`${debian}/${pattern}`)));
const libraries = folders("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*").join(delimiter);

/** A Python that has the servers written in Python. */
export const python = process.env.PROVIDERS_PYTHON ?? "";

/** The parts of Debian's package `glewlwyd`. */
export const glewlwyd = {
  program: `${debian}/usr/bin/glewlwyd`,
  modules: `${debian}/usr/lib/glewlwyd`,
  schema: `${debian}/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3`,
  env: { LD_LIBRARY_PATH: libraries },
};

/** The parts of Debian's package `liblemonldap-ng-portal-perl`, and Perl's web server. */
export const lemonldap = {
  server: `${debian}/usr/bin/plackup`,
  configuration: `${debian}/var/lib/lemonldap-ng/conf/lmConf-1.json`,
  portal: `${debian}/usr/share/lemonldap-ng/portal`,
  env: {
    LD_LIBRARY_PATH: libraries,
    PERL5LIB: folders("usr/share/perl5", "usr/lib/*-linux-gnu*/perl5/*").join(delimiter),
  },
};

export const skipsAuthgent = () => without("authgent-server", python);
export const skipsDjango = () => without("django-oauth-toolkit", python);
export const skipsGlewlwyd = () => without("glewlwyd", glewlwyd.program);
export const skipsLemonldap = () => without("LemonLDAP::NG", lemonldap.server);

/** Returns why the tests of a server are skipped, or `false`. */
function without(name, file) {
  return existsSync(file) ? false : `no ${name} here: dev/setup providers says why`;
}

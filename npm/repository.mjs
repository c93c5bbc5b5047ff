// Which public repository the packages are built in. npm compares `repository` with what the certificate of a
// trusted build says, and refuses the provenance of any other.

/**
 * @param {string} directory  of the package, in the repository
 * @param {Record<string, string | undefined>} env  as GitHub sets it: GITHUB_SERVER_URL, GITHUB_REPOSITORY (owner/name)
 * @returns {{type: "git", url: string, directory: string} | undefined} the member of package.json; undefined on other machines
 */
export function repositoryOf(directory, { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name }) {
  if (!server || !name) return undefined;
  return { type: "git", url: `git+${server}/${name}.git`, directory };
}

/**
 * The address of a file of this version, for documents that name it and are read elsewhere.
 * @param {string} path  in the repository
 * @param {"blob" | "tree" | "raw"} view  a file as a page, a folder, or the file itself
 * @param {string} version  without the "v" of its tag
 * @param {Record<string, string | undefined>} env  see `repositoryOf`
 * @returns {string | undefined} undefined on other machines
 */
export function addressOf(path, view, version, { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name }) {
  if (!server || !name) return undefined;
  return `${server}/${name}/${view}/v${version}/${path}`;
}

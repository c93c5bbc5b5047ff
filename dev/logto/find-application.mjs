// Which application of a tenant serves a purpose already: by evidence, never by its name.

import { isMadeFor } from "./mark.mjs";

/**
 * @typedef {object} Found
 * @property {object} [application]
 * @property {string} [evidence]  why it is the one, if this program did not make it
 * @property {object[]} [rivals]  those that could all be the one
 * @property {object} [misfit]  one with the redirect URI that cannot be it
 *
 * By the id in the settings, by what this program wrote into it, or by its redirect URI.
 * @param {object[]} applications
 * @param {import("./wanted.mjs").WantedApplication} wanted
 * @returns {Found}
 */
export function findApplication(applications, wanted) {
  const { use, resource, redirectUri, knownId } = wanted;
  const isOwn = (application) => isMadeFor(application, use, resource);
  const named = applications.find(({ id }) => id === knownId);
  if (named !== undefined) return { application: named, ...(!isOwn(named) && { evidence: "the settings name it" }) };
  // Two runs at the same time can have made two: the older one is used.
  const [own] = applications.filter(isOwn).sort((one, other) => one.createdAt - other.createdAt);
  if (own !== undefined) return { application: own };
  if (!wanted.isKnownByUri) return {};
  const alike = applications.filter(({ oidcClientMetadata }) => oidcClientMetadata?.redirectUris?.includes(redirectUri));
  const fitting = alike.filter((application) => isOfKind(application, wanted));
  if (fitting.length > 1) return { rivals: fitting };
  if (fitting.length === 1) return { application: fitting[0], evidence: `it has the redirect URI ${redirectUri}` };
  return { misfit: alike[0] };
}

/** Whether an application is of the wanted kind, which cannot be changed. */
export const isOfKind = (application, { type, isThirdParty }) => application.type === type && Boolean(application.isThirdParty) === isThirdParty;

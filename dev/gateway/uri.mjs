// URIs of resources, as the gateway compares them and denies them (crates/gateway/src/access/uri.rs has the reasons).

import { fold } from "./fold.mjs";
import { hasSpaceAtEnds } from "./text.mjs";

const MAX_BYTES = 16 * 1024;
const SPECIAL = ["http", "https", "ws", "wss", "ftp"];
const DEFAULT_PORTS = { http: "80", ws: "80", https: "443", wss: "443", ftp: "21" };

/** The canonical form of a URI, a URI template or a pattern. */
export const encodeUri = (uri) =>
  uri
    .replaceAll(/[^\x00-\x7f]+|["<>^`{}]/g, (text) => encodeURIComponent(text))
    .replaceAll(/%[0-9A-Fa-f]{2}/g, (encoded) => encoded.toUpperCase());

/** Why a URI is denied in any case. @param {string} uri @returns {string | undefined} */
export const refusedUri = (uri) => refusedCharacters(uri) ?? refusedScheme(uri) ?? refusedAuthority(uri);

/** Why a pattern is an error. A part that the `*` may continue is not looked at. */
export function refusedPattern(pattern) {
  const fixed = pattern.split("*")[0];
  const isWhole = fixed === pattern;
  const characters = refusedCharacters(pattern);
  if (characters !== undefined || !(isWhole || fixed.includes(":"))) return characters;
  const authority = fixed.slice(fixed.indexOf(":") + 1).replace(/^\/+/, "");
  const hasAuthority = isWhole || fixed.includes("///") || /[/?#]/.test(authority);
  return refusedScheme(fixed) ?? (hasAuthority ? refusedAuthority(fixed) : undefined);
}

function refusedCharacters(uri) {
  if (!uri.isWellFormed() || Buffer.byteLength(uri) > MAX_BYTES || hasSpaceAtEnds(uri)) return "it is longer than 16 KiB, or begins or ends with white space";
  if (/%(?![0-9A-Fa-f]{2})/.test(uri)) return "its percent-encoding is invalid";
  const encoded = [...uri.matchAll(/%([0-9A-Fa-f]{2})/g)].map(([, hex]) => String.fromCharCode(parseInt(hex, 16)));
  if (encoded.some((character) => /[A-Za-z0-9._~-]/.test(character))) return "it percent-encodes characters that need none";
  if (/[\x00-\x20\x7f\\|]/.test(uri) || encoded.some((character) => /[\x00-\x1f\x7f]/.test(character))) return "it has white space, control characters, \\ or |";
  const segments = uri.replace(/^[^:/]*:/, "/").split(/[/?#]|%2f|%5c/i);
  return segments.some((segment) => segment === "." || segment === "..") ? "it has dot segments" : undefined;
}

const refusedScheme = (uri) => (/^[a-z][a-z0-9+.-]*:/.test(uri) ? undefined : "it does not begin with a scheme in lower case");

function refusedAuthority(uri) {
  const [, scheme, authority, rest] = /^([^:]*):(?:\/\/([^/?#]*))?(.*)$/s.exec(uri);
  if (authority?.includes("@")) return "it has user information";
  if (SPECIAL.includes(scheme) && authority !== undefined && !rest.startsWith("/")) return "it has no path: URL parsers add / to a host";
  const isPlain =
    scheme === "file"
      ? authority !== undefined && rest.startsWith("/") && authority !== "localhost" && /^[a-z0-9._-]*$/.test(authority)
      : SPECIAL.includes(scheme)
        ? authority !== undefined && isPlainHost(scheme, authority)
        : !/[[\]]|:(0\d+)?$/.test(authority ?? "");
  return isPlain ? undefined : "its host or port is not in the form that URL parsers give it";
}

function isPlainHost(scheme, authority) {
  const [, host, port] = /^([a-z0-9._-]+)(?::(\d+))?$/.exec(authority) ?? [];
  if (host === undefined) return false;
  if (port !== undefined && (!scheme.startsWith("http") || port === DEFAULT_PORTS[scheme] || /^0/.test(port) || Number(port) > 65_535)) return false;
  if (/^[a-z]/.test(host.split(".").at(-1))) return true;
  const labels = host.split(".");
  return labels.length === 4 && labels.every((label) => /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) <= 255);
}

/** A canonical URI, or a folded one, without query and fragment. */
export const beforeQuery = (uri) => uri.split(/[?#]/)[0];

/** A canonical URI, or a part of one, as an upstream may see it that decodes it; undefined if what is encoded is not UTF-8. */
export function foldUri(canonical) {
  const at = canonical.indexOf(":");
  const start = at !== -1 && canonical.startsWith("://", at) ? at + 3 : 0;
  try {
    const decoded = decodeURIComponent(canonical.slice(start)).replaceAll("\\", "/").replaceAll(/\/+/g, "/");
    return fold(canonical.slice(0, start) + decoded);
  } catch {
    return undefined;
  }
}

// Why the gateway denies a URI whatever the table says, and the form in which it compares the others
// (crates/gateway/src/access).

const MAX_BYTES = 16 * 1024;

/** Non-ASCII as percent-encoded bytes, hex digits in upper case. */
export function canonicalUri(uri) {
  return uri
    .toWellFormed()
    .replaceAll(/[^\x00-\x7f]+/g, (text) => encodeURIComponent(text))
    .replaceAll(/%[0-9a-f]{2}/gi, (encoded) => encoded.toUpperCase());
}

/** @returns {string | undefined} why it is denied */
export function refusedUri(uri) {
  if (Buffer.byteLength(uri) > MAX_BYTES) return "it is longer than 16 KiB";
  if (/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]/u.test(uri)) return "it has white space or control characters";
  if (uri.includes("\\")) return "it has a backslash";
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1];
  if (scheme === undefined) return "it has no scheme";
  if (/[A-Z]/.test(scheme)) return "its scheme has capital letters";
  const authority = /^[^:]+:\/\/([^/?#]*)/.exec(uri)?.[1] ?? "";
  if (authority.includes("@")) return "it has a user name";
  if (/[A-Z]/.test(authority.replaceAll(/%[0-9A-Fa-f]{2}/g, ""))) return "its host has capital letters";
  if (/%(?![0-9A-Fa-f]{2})/.test(uri)) return "its percent-encoding is invalid";
  const encoded = [...uri.matchAll(/%([0-9A-Fa-f]{2})/g)].map(([, hex]) => String.fromCharCode(parseInt(hex, 16)));
  if (encoded.some((character) => /[A-Za-z0-9._~-]/.test(character))) return "it percent-encodes characters that need none";
  const path = uri.slice(scheme.length + 1).split(/[?#]/)[0];
  if (path.split(/\/|%2f|%5c/i).some((segment) => [".", ".."].includes(segment.replaceAll(/%2e/gi, ".")))) return "it has dot segments";
  return undefined;
}

// Secret keys in WebCrypto. None can be read out again.

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HMAC = { name: "HMAC", hash: "SHA-256" };

// What is wrong with a key, without the text of it that messages of JSON.parse quote.
const withoutText = (error) => {
  throw new Error(error?.name ?? "unknown error");
};

export function importSigningKey(jwk) {
  // In a function of its own, so that what is no JSON rejects as well.
  const imported = async () => await crypto.subtle.importKey("jwk", JSON.parse(jwk), ECDSA, false, ["sign"]);
  return imported().catch(withoutText);
}

export function importMacKey(secret) {
  return crypto.subtle.importKey("raw", secret, HMAC, false, ["sign", "verify"]).catch(withoutText);
}

export function importDerivationKey(secret) {
  return crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]).catch(withoutText);
}

export function signEs256(key, message) {
  return crypto.subtle.sign(ECDSA, key, message);
}

export function signHmac(key, message) {
  return crypto.subtle.sign(HMAC, key, message);
}

export function verifyHmac(key, code, message) {
  return crypto.subtle.verify(HMAC, key, code, message);
}

export function deriveKey(key, salt, info) {
  return crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, 256);
}

// Writes what WebCrypto has returned into a piece of WebAssembly's memory; whether it is that many bytes.
export function copyBuffer(buffer, into) {
  if (buffer?.byteLength !== into.length) return false;
  into.set(new Uint8Array(buffer));
  return true;
}

// Requests to Logto: https only, no redirects, bounded in time and size.

import { isPrivate } from "../loopback.mjs";
import { plain, Problem } from "./problem.mjs";

const TIMEOUT_MS = 20_000;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_ATTEMPTS = 5;
const DEFAULT_PAUSE_SECONDS = 3;
const MAX_PAUSE_SECONDS = 30;

/**
 * @typedef {{status: number, headers: Headers, json?: any}} Answer
 *
 * @typedef {object} Options
 * @property {typeof fetch} [fetch]
 * @property {(seconds: number) => Promise<void>} [pause]  waits before the next attempt
 * @property {(message: string) => void} [log]
 * @property {number} [timeoutMs]
 *
 * Gives a function that sends a request, and again after a pause while the answer is 429.
 * @param {Options} [options]
 * @returns {(url: string, init: RequestInit) => Promise<Answer>}
 */
export function createSender({ fetch = globalThis.fetch, pause = sleep, log = () => {}, timeoutMs = TIMEOUT_MS } = {}) {
  return async function send(url, init) {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await sendOnce(url, init);
      if (answer.status !== 429) return answer;
      if (attempt === MAX_ATTEMPTS) {
        throw new Problem(`${new URL(url).host} keeps answering 429 (too many requests)`, {
          why: "The tenant's limit of requests is used up, by this program or by others.",
          fix: "Wait a minute and run the same command again: it continues where it stopped.",
        });
      }
      const seconds = Math.min(secondsOf(answer.headers.get("retry-after")) ?? DEFAULT_PAUSE_SECONDS * attempt, MAX_PAUSE_SECONDS);
      log(`Logto answered 429 (too many requests); waiting ${seconds} seconds`);
      await pause(seconds);
    }
  };

  async function sendOnce(url, init) {
    requirePrivate(new URL(url));
    const { host } = new URL(url);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, { ...init, redirect: "manual", signal });
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw new Problem(`${url} redirects to ${plain(response.headers.get("location"))}`, {
          why: "Credentials are never sent to where a redirect leads.",
          fix: "Set ENDPOINT to the URL of Logto itself.",
        });
      }
      return { status: response.status, headers: response.headers, json: await readJson(response, host) };
    } catch (error) {
      throw error instanceof Problem ? error : unreachable(error, url, timeoutMs);
    }
  }
}

/**
 * Checks that others cannot read what is sent to a URL.
 * @param {URL} url
 * @param {string} [text]  the URL as the operator wrote it
 * @throws {Problem}
 */
export function requirePrivate(url, text = url.href) {
  if (isPrivate(url)) return;
  throw new Problem(`${text} is not https`, {
    why: "The secret of the application would go over the network in clear.",
    fix: "Use https; plain http is for this machine only.",
  });
}

async function readJson(response, host) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Problem(`the answer of ${host} is larger than ${MAX_BODY_BYTES} bytes`, { fix: "Check that ENDPOINT leads to Logto itself." });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

const CAUSES = {
  ENOTFOUND: ["There is no such host.", "Check the spelling of ENDPOINT."],
  EAI_AGAIN: ["The name of the host cannot be resolved.", "Check the spelling of ENDPOINT and your connection."],
  ECONNREFUSED: ["Nothing listens there.", "Check that Logto is running, and the port in ENDPOINT."],
  ERR_SSL_WRONG_VERSION_NUMBER: ["It does not speak https there.", "Check the port in ENDPOINT, and on this machine write http://."],
  ECONNRESET: ["The connection was closed.", "Check ENDPOINT, and run the same command again."],
};

function unreachable(error, url, timeoutMs) {
  const { host } = new URL(url);
  if (error.name === "TimeoutError") {
    return new Problem(`${host} did not answer within ${timeoutMs / 1000} seconds`, {
      fix: "Check ENDPOINT and your connection, and run the same command again: it continues where it stopped.",
    });
  }
  const code = [...causesOf(error)].map((cause) => cause.code).find((code) => code !== undefined);
  const isCertificate = /CERT|SELF_SIGNED|TLS|SSL/.test(code ?? "");
  const certificate = ["Its certificate is not trusted.", "Use a public certificate, or set NODE_EXTRA_CA_CERTS to your own authority's."];
  const [why, fix] = CAUSES[code] ?? (isCertificate ? certificate : undefined) ?? [plain(error.cause?.message ?? error.message), "Check ENDPOINT and your connection."];
  return new Problem(`${host} cannot be reached${code ? ` (${code})` : ""}`, { why, fix });
}

// Node wraps the error, and tries each address of a host.
function* causesOf(error) {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    yield cause;
    yield* cause.errors ?? [];
  }
}

// RFC 9110 §10.2.3: seconds; a date is taken for nothing.
function secondsOf(text) {
  return /^[1-9]\d*$/.test(text ?? "") ? Number(text) : undefined;
}

function sleep(seconds) {
  return new Promise((wake) => setTimeout(wake, seconds * 1000));
}

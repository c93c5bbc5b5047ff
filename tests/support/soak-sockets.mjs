// Requests that no HTTP library sends: aborted, slow and half open ones.

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 30_000;

/** The bytes of a POST to the endpoint. */
export function bytesOf({ token, message, headers = {} }, { length } = {}) {
  const body = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
  const lines = [
    "POST /mcp HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Accept: application/json, text/event-stream",
    "Connection: close", `Content-Length: ${length ?? body.length}`, `Authorization: Bearer ${token}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return { head: Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body };
}

/** Sends a part of a request and closes the connection. @param {number} part  of the body, 0 to 1 */
export async function abortUpload({ port }, request, part) {
  const { head, body } = bytesOf(request);
  const socket = await open(port);
  socket.write(Buffer.concat([head, body.subarray(0, Math.floor(body.length * part))]));
  await sleep(5);
  socket.destroy();
}

/** Sends a request and closes the connection with the first bytes of the response. */
export async function abortDownload({ port }, request) {
  const { head, body } = bytesOf(request);
  const socket = await open(port);
  try {
    await new Promise((resolve, reject) => {
      socket.setTimeout(PATIENCE_MS, () => reject(new Error("no response")));
      socket.once("data", resolve).once("close", resolve);
      socket.write(Buffer.concat([head, body]));
    });
  } finally {
    socket.destroy();
  }
}

/** Leaves a request without its end for this long. */
export async function leaveOpen({ port }, request, milliseconds) {
  const { head, body } = bytesOf(request);
  const socket = await open(port);
  socket.write(Buffer.concat([head, body]).subarray(0, head.length + body.length - 2));
  await sleep(milliseconds);
  socket.destroy();
}

/** Sends the body in pieces, and returns status and body of the response. */
export async function sendSlowly({ port }, request, pieces, milliseconds) {
  const { head, body } = bytesOf(request);
  const socket = await open(port);
  const received = readAll(socket);
  // It may fail before it is awaited.
  received.catch(() => {});
  socket.write(head);
  for (let piece = 0; piece < pieces; piece += 1) {
    const [from, to] = [piece, piece + 1].map((at) => Math.floor((body.length * at) / pieces));
    socket.write(body.subarray(from, to));
    await sleep(milliseconds);
  }
  const [top, ...rest] = (await received).split("\r\n\r\n");
  return { status: Number(top.split(" ", 2)[1]), text: rest.join("\r\n\r\n") };
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    // Once it is open, an error is followed by `close`.
    socket.on("error", reject);
  });
}

function readAll(socket) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no response")));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    socket.once("error", reject);
  });
}

// A thread that signs a share of the tokens, see `tokens.mjs`.

import { parentPort, workerData } from "node:worker_threads";
import { signerOf, tokensFor } from "../../tests/support/signers.mjs";
import { claimsOf } from "./tokens.mjs";

const { algorithm, kid, privateJwk, parties, from, to } = workerData;
const token = tokensFor({ ...parties, signer: signerOf(algorithm, privateJwk, kid) });
const tokens = Array.from({ length: to - from }, (_, index) => token({ claims: claimsOf(from + index) }));
parentPort.postMessage(tokens);

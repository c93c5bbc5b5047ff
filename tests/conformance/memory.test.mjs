// Tools that repeat their arguments or request input: bodies that are small on the wire and large in memory do not crash
// the isolate. See tests/memory.test.mjs.

import { after, describe, test } from "node:test";
import { ISOLATE_LIMITS, SHAPES, legacy, modern, shapeIn, watch } from "../support/heavy-bodies.mjs";
import { startHostileProvider } from "../support/hostile-provider.mjs";
import { ENVELOPE, legacyRequest } from "../support/messages.mjs";
import "../support/report-failures.mjs";
import { createSigner, tokensFor } from "../support/signers.mjs";
import { startWorker } from "../support/worker.mjs";

const AT_ONCE = 8;

const signer = await createSigner("ES256");
const provider = await startHostileProvider({ keys: [signer.jwk] });
const settings = { ISSUER: provider.issuer, STATE_SECRET: "0123456789abcdef0123456789abcdef" };
const worker = await startWorker({ ...ISOLATE_LIMITS, settings, build: "tests/conformance/build" });
after(async () => {
  await worker.stop();
  await provider.stop();
});
const token = tokensFor({ issuer: provider.issuer, resource: worker.mcpUrl, signer })({});
const endures = watch(worker, { token, message: legacyRequest("tools/list") });

const call = (name, args) => ({ name, arguments: args });
const capabilities = { [ENVELOPE.capabilities]: { elicitation: {}, sampling: {}, roots: {} } };
const sampled = (text) => ({ role: "assistant", model: "m", content: { type: "text", text } });
const contact = (value) => call("json_schema_2020_12_tool", { phone: "1", address: { x: value } });

describe("a tool does no harm if it repeats", () => {
  for (const [what, place] of Object.entries({
    "a value": legacy("tools/call", contact("@")),
    "a value, modern": modern("tools/call", contact("@")),
    "a text": legacy("tools/call", call("test_custom_header", { value: "@" })),
    "what is wrong with its arguments": legacy("tools/call", call("json_schema_2020_12_tool", "@")),
    "an argument of a prompt": legacy("prompts/get", call("test_prompt_with_arguments", { arg1: "@", arg2: "" })),
    "an answer": modern(
      "tools/call",
      { ...call("test_input_required_result_sampling", {}), inputResponses: { capital_question: sampled("@") } },
      capabilities,
    ),
    "an answer while it asks for more": modern(
      "tools/call",
      { ...call("test_input_required_result_multiple_inputs", {}), inputResponses: { greeting: sampled("@") } },
      capabilities,
    ),
  })) {
    test(what, async () => {
      for (const name of Object.keys(SHAPES)) await endures(shapeIn(place, name, token));
      for (const name of ["escaped quotes", "one text", "small objects"]) {
        await endures(...Array(AT_ONCE).fill(shapeIn(place, name, token)));
      }
    });
  }
});

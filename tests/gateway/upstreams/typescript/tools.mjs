// The tools of the TypeScript server: those that the conformance suite asks for, and those that say who calls.

import { inputRequired, inputResponse } from "@modelcontextprotocol/server";
import { setTimeout as sleep } from "node:timers/promises";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
const WAV = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

export const image = { type: "image", data: PNG, mimeType: "image/png" };
export const text = (value) => ({ type: "text", text: value });
export const embedded = (uri, content, mimeType = "text/plain") => ({ type: "resource", resource: { uri, mimeType, text: content } });
export const object = (properties = {}, required = Object.keys(properties)) => ({ type: "object", properties, required });
const string = { type: "string" };
const says = (value) => ({ content: [text(value)] });

/** Sends progress, or log messages, some milliseconds apart. */
async function inSteps(steps, send) {
  for (const step of steps) {
    await send(step);
    await sleep(50);
  }
}

const progressOf = (ctx) => (progress) => {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  const message = ctx.http?.authInfo?.extra.sub;
  return ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100, ...(message && { message }) } });
};

const GREETING = "Generate a greeting";
const ask = {
  name: () => inputRequired.elicit({ message: "What is your name?", requestedSchema: object({ name: string }) }),
  sample: (prompt, maxTokens = 100) => inputRequired.createMessage({ messages: [{ role: "user", content: text(prompt) }], maxTokens }),
  form: (message, properties) => inputRequired.elicit({ message, requestedSchema: object(properties) }),
  roots: () => inputRequired.listRoots(),
};

/** What a client answered to a question of an earlier round, if it is acceptable. */
const answered = (ctx, key, member, type = "string") => {
  const view = inputResponse(ctx.mcpReq.inputResponses, key);
  if (view.kind === "elicit") return view.action === "accept" && typeof view.content?.[member] === type ? view.content[member] : undefined;
  if (view.kind === "sampling") return [view.result.content].flat()[0]?.text;
  return view.kind === "roots" ? view.roots : undefined;
};

/** Tools of both eras: description, schema of the arguments, call. */
const BOTH = {
  test_simple_text: ["Says a text", {}, () => says("This is a simple text response for testing.")],
  test_image_content: ["Shows an image", {}, () => ({ content: [image] })],
  test_audio_content: ["Plays a sound", {}, () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] })],
  test_embedded_resource: ["Embeds a resource", {}, () => ({ content: [embedded("test://embedded-resource", "This is an embedded resource content.")] })],
  test_multiple_content_types: ["Says, shows and embeds", {}, () => ({
    content: [text("Multiple content types test:"), image, embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json")],
  })],
  test_error_handling: ["Fails", {}, () => ({ ...says("This tool intentionally returns an error for testing"), isError: true })],
  test_tool_with_progress: ["Reports progress", {}, async (_, ctx) => {
    await inSteps([0, 50, 100], progressOf(ctx));
    return says("done");
  }],
  test_custom_header: ["Has an argument that is repeated in a header", { value: { ...string, "x-mcp-header": "Value" } }, ({ value }) => says(value), []],
  json_schema_2020_12_tool: ["Has a schema with many keywords", {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: { address: { $anchor: "addressDef", type: "object", properties: { street: string, city: string } } },
    properties: {
      name: string, address: { $ref: "#/$defs/address" }, contactMethod: { type: "string", enum: ["phone", "email"] }, phone: string, email: string,
    },
    allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
    if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
    then: { required: ["phone"] },
    else: { required: ["email"] },
    additionalProperties: false,
  }, () => says("valid")],
  // Who calls, as the assertion says.
  claims: ["Returns the claims of the caller", {}, (_, ctx) => says(JSON.stringify(ctx.http?.authInfo?.extra ?? null))],
  // The state of one user, and of one session.
  count: ["Counts the calls of a user and of a session", {}, (_, ctx, { counts }) => {
    const keys = { user: `user ${ctx.http?.authInfo?.extra?.sub}`, session: `session ${ctx.sessionId}` };
    const counted = Object.entries(keys).map(([name, key]) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return [name, counts.get(key)];
    });
    return says(JSON.stringify(Object.fromEntries(counted)));
  }],
  touch: ["Reports a resource as changed", { uri: string }, ({ uri }, _, { notify }) => {
    notify.resourceUpdated(uri);
    return says("touched");
  }],
};

const PERSON = { username: { ...string, description: "The name of the user" }, email: { ...string, description: "The address" } };
const options = (...names) => names.map((name, each) => ({ const: `value${each + 1}`, title: name }));

/** Tools of the handshake era, which ask their client by requests. */
const LEGACY = {
  test_tool_with_logging: ["Logs", {}, async (_, ctx) => {
    await inSteps(["Tool execution started", "Tool processing data", "Tool execution completed"], (line) => ctx.mcpReq.log("info", line));
    return says("done");
  }],
  test_sampling: ["Asks the client's model", { prompt: string }, async ({ prompt }, ctx) => {
    const { content } = await ctx.mcpReq.requestSampling({ messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 });
    return says(`LLM response: ${[content].flat()[0]?.text}`);
  }],
  test_elicitation: ["Asks the user", { message: string }, elicits(({ message }) => message, PERSON, "User response")],
  test_elicitation_sep1034_defaults: ["Asks the user, with defaults", {}, elicits(() => "Please review", {
    name: { type: "string", default: "John Doe" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", default: true },
  }, "Elicitation completed")],
  test_elicitation_sep1330_enums: ["Asks the user to choose", {}, elicits(() => "Please choose", {
    untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
    titledSingle: { type: "string", oneOf: options("First Option", "Second Option", "Third Option") },
    legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
    untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
    titledMulti: { type: "array", items: { anyOf: options("First Choice", "Second Choice", "Third Choice") } },
  }, "Elicitation completed")],
  test_reconnection: ["Closes its stream, and answers on another", {}, async (_, ctx) => {
    ctx.http?.closeSSE?.();
    await sleep(200);
    return says("answered after the reconnection");
  }],
};

function elicits(message, properties, prefix) {
  return async (args, ctx) => {
    const { action, content } = await ctx.mcpReq.elicitInput({ mode: "form", message: message(args), requestedSchema: object(properties) });
    return says(`${prefix}: action=${action}, content=${JSON.stringify(content ?? {})}`);
  };
}

/** Tools of the modern era, which ask for input in their result. */
const MODERN = {
  test_missing_capability: ["Needs sampling", {}, (_, ctx) => {
    const prompt = answered(ctx, "text");
    return prompt === undefined ? inputRequired({ inputRequests: { text: ask.sample("Say something") } }) : says(prompt);
  }],
  test_streaming_elicitation: ["Asks within its result", {}, (_, ctx) => asksName(ctx)],
  test_logging_tool: ["Logs if it is asked to", {}, async (_, ctx) => {
    await ctx.mcpReq.log("info", "logged");
    return says("done");
  }],
  test_trigger_tool_change: ["Changes the list of tools", {}, (_, __, { notify }) => (notify.toolsChanged(), says("changed"))],
  test_trigger_prompt_change: ["Changes the list of prompts", {}, (_, __, { notify }) => (notify.promptsChanged(), says("changed"))],
  test_input_required_result_elicitation: ["Asks for a name", {}, (_, ctx) => asksName(ctx)],
  test_input_required_result_sampling: ["Asks a model", {}, (_, ctx) => {
    const capital = answered(ctx, "capital_question");
    if (capital !== undefined) return says(capital);
    return inputRequired({ inputRequests: { capital_question: ask.sample("What is the capital of France?") } });
  }],
  test_input_required_result_list_roots: ["Asks for roots", {}, (_, ctx) => {
    const roots = answered(ctx, "client_roots");
    return roots === undefined ? inputRequired({ inputRequests: { client_roots: ask.roots() } }) : says(`roots: ${JSON.stringify(roots)}`);
  }],
  test_input_required_result_request_state: ["Keeps state at the client", {}, confirms],
  test_input_required_result_tampered_state: ["Keeps state that may not be changed", {}, confirms],
  test_input_required_result_multiple_inputs: ["Asks for three things", {}, async (_, ctx, { state }) => {
    const all = [answered(ctx, "user_name", "name"), answered(ctx, "greeting"), answered(ctx, "client_roots")];
    if (!all.includes(undefined)) return says(`${all[1]} ${all[0]}, ${JSON.stringify(all[2])}`);
    const inputRequests = { user_name: ask.name(), greeting: ask.sample(GREETING, 50), client_roots: ask.roots() };
    return inputRequired({ inputRequests, requestState: await state.mint({ step: 1 }) });
  }],
  test_input_required_result_multi_round: ["Asks twice", {}, async (_, ctx, { state }) => {
    const { step = 0 } = ctx.mcpReq.requestState() ?? {};
    const asked = async (key, message, member, next) =>
      inputRequired({ inputRequests: { [key]: ask.form(message, { [member]: string }) }, requestState: await state.mint({ step: next }) });
    if (step === 2 && answered(ctx, "step2", "color") !== undefined) return says("complete");
    if (step === 1 && answered(ctx, "step1", "name") !== undefined) return asked("step2", "Step 2: What is your favorite color?", "color", 2);
    return asked("step1", "Step 1: What is your name?", "name", 1);
  }],
  test_input_required_result_capabilities: ["Asks for what its client can do", {}, (_, ctx) => {
    const capabilities = ctx.mcpReq.envelope?.["io.modelcontextprotocol/clientCapabilities"] ?? {};
    const inputRequests = { ...(capabilities.elicitation && { name: ask.name() }), ...(capabilities.sampling && { greeting: ask.sample(GREETING) }) };
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : says("nothing to ask");
  }],
};

function asksName(ctx) {
  const name = answered(ctx, "user_name", "name");
  return name === undefined ? inputRequired({ inputRequests: { user_name: ask.name() } }) : says(`Hello, ${name}!`);
}

async function confirms(_, ctx, { state }) {
  const { asked } = ctx.mcpReq.requestState() ?? {};
  if (asked && answered(ctx, "confirm", "ok", "boolean") !== undefined) return says("state-ok");
  const inputRequests = { confirm: ask.form("Please confirm", { ok: { type: "boolean" } }) };
  return inputRequired({ inputRequests, requestState: await state.mint({ asked: true }) });
}

/** The tools of an era by name. */
export const toolsOf = (era) => ({ ...BOTH, ...(era === "modern" ? MODERN : LEGACY) });

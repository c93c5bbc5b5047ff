// Asks a person for what no option says.

import * as clack from "@clack/prompts";
import { resolve } from "node:path";
import { check } from "./answers.mjs";
import { Problem } from "./problem.mjs";
import { PROVIDERS } from "./providers.mjs";
import { checkUnused } from "./write.mjs";

/** Thrown if the person ends the questions. */
export class Cancelled extends Error {}

/**
 * Every answer is checked with all that is known before it, so that no question is asked in vain.
 * @param {import("./options.mjs").Options} options  checked
 * @param {{input: import("node:stream").Readable, output: import("node:stream").Writable, cwd: string}} terminal
 * @returns {Promise<import("./options.mjs").Options>} with the answers
 * @throws {Cancelled}
 */
export async function ask(options, { input, output, cwd }) {
  const streams = { input, output };
  const answers = { ...options };

  /** Asks unless there is an answer already. */
  const question = async (name, kind, settings) => {
    if (answers[name] !== undefined) return;
    const answer = await kind({ ...settings, ...streams });
    if (clack.isCancel(answer)) throw new Cancelled();
    answers[name] = answer;
  };
  const text = (name, settings) => question(name, clack.text, { validate: (value) => problemWith(name, value || settings.defaultValue), ...settings });
  /** Asks for one of several, as far as what is known allows them. */
  const choice = (name, settings) => question(name, clack.select, { ...settings, options: settings.options.filter(({ value }) => problemWith(name, value) === undefined) });

  /** What is wrong with an answer, for the person; undefined if nothing is. */
  const problemWith = (name, value) => {
    try {
      if (name === "folder") checkUnused(resolve(cwd, value));
      check({ ...answers, [name]: value ?? "" }, cwd);
    } catch (error) {
      if (error instanceof Problem) return error.text;
      throw error;
    }
    return undefined;
  };

  clack.intro("mcp-edge: a new project", streams);
  await text("folder", {
    message: "Where? The folder's name is that of the Worker, too.",
    placeholder: "acme-mcp",
    defaultValue: "acme-mcp",
  });
  await choice("mode", {
    message: "What should agents reach?",
    options: [
      { value: "whoami", label: "The tool whoami", hint: "who signed in; to see how it works" },
      { value: "gateway", label: "My own MCP server", hint: "a gateway in front of it" },
    ],
  });
  if (answers.mode === "gateway") {
    await text("upstream", {
      message: "The URL of its MCP endpoint? It may be on this machine.",
      placeholder: "http://localhost:3001/mcp",
    });
  }
  await choice("provider", {
    message: "Where do your users sign in?",
    options: Object.entries(PROVIDERS).map(([value, { title }]) => ({ value, label: title[0].toUpperCase() + title.slice(1) })),
  });
  await text("issuer", {
    message: "Its issuer? Leave it empty to decide later.",
    placeholder: PROVIDERS[answers.provider].example,
    defaultValue: "",
  });
  await text("resource", {
    message: "The URL that the endpoint will have? Leave it empty to decide later.",
    placeholder: "https://mcp.example.com/mcp",
    defaultValue: "",
  });
  await question("vault", clack.confirm, {
    message: "With access keys for programs, and connected accounts (the vault)?",
    initialValue: false,
  });
  if (answers.provider === "logto") {
    await question("registrar", clack.confirm, {
      message: "With a portal where developers register their agents (the registrar)?",
      initialValue: false,
    });
  }
  clack.outro("That is all.", streams);
  return answers;
}

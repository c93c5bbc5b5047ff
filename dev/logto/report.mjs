// Prints plans and problems. What a tenant calls things stays on its line and cannot make others.

import { oneLine } from "./problem.mjs";

const SIGNS = { create: "+ will create ", change: "~ will change ", keep: "✓ is already so", leave: "· left alone  " };
const DONE = { create: "+ created", change: "~ changed" };
const INDENT = " ".repeat(18);

/** The lines of a plan. @param {import("./plan.mjs").Step[]} steps */
export function planLines(steps) {
  return steps.flatMap(({ action, subject, details, because, show }) => [
    `${SIGNS[action]}  ${oneLine(subject)}${because ? `, because ${oneLine(because)}` : ""}`,
    ...details.map((detail) => `${INDENT}${oneLine(detail)}`),
    ...(show ? ["", ...show.split("\n").map((line) => `    ${line}`), ""] : []),
  ]);
}

/** One line about how many steps there are of each kind. */
export function summary(steps) {
  const count = (action) => steps.filter((step) => step.action === action).length;
  return `${count("create")} to create, ${count("change")} to change, ${count("keep")} already so, ${count("leave")} left alone`;
}

/** The lines about a step that was carried out, or that failed. */
export function doneLines({ action, subject }, problem) {
  const name = oneLine(subject);
  return problem === undefined ? [`${DONE[action]}  ${name}`] : [`✗ failed   ${name}`, ...problem.lines.map((line) => `    ${line}`)];
}

// Prints plans and problems.

const SIGNS = { create: "+ will create ", change: "~ will change ", keep: "✓ is already so", leave: "· left alone  " };
const DONE = { create: "+ created", change: "~ changed" };
const INDENT = " ".repeat(18);

/** The lines of a plan. @param {import("./plan.mjs").Step[]} steps */
export function planLines(steps) {
  return steps.flatMap(({ action, subject, details, because, show }) => [
    `${SIGNS[action]}  ${subject}${because ? `, because ${because}` : ""}`,
    ...details.map((detail) => `${INDENT}${detail}`),
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
  return problem === undefined ? [`${DONE[action]}  ${subject}`] : [`✗ failed   ${subject}`, ...problem.lines.map((line) => `    ${line}`)];
}

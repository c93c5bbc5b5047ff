// Buttons that copy a text to the clipboard. They are hidden until this script runs.

import { byId } from "./dom.js";

const SHOWN_MS = 2_000;

/** Shows every `<button data-copy="…">` below an element and makes it copy. */
export function readyCopyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const label = button.textContent;
  const done = await navigator.clipboard.writeText(button.dataset.copy).then(
    () => true,
    () => false,
  );
  // The status line is for screen readers: only some of them read the new label of a button.
  byId("said").textContent = done ? "Copied to the clipboard" : "The browser did not allow copying";
  if (button.classList.contains("done")) return;
  button.textContent = done ? "Copied" : "Select and copy by hand";
  button.classList.add("done");
  setTimeout(() => {
    button.textContent = label;
    button.classList.remove("done");
    byId("said").textContent = "";
  }, SHOWN_MS);
}

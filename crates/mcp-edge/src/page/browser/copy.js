// Buttons that put a text on the clipboard. They are hidden until this runs: without scripts they could do nothing.

import { byId } from "./dom.js";

const SHOWN_MS = 2_000;

/** Readies every `<button data-copy="…">` below an element. */
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
  // Screen readers are told by the status line, since a button's new name is read by some of them only.
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

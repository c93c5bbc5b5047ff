// Buttons that copy, and an address without the codes of a sign-in. The pages do without.

const SHOWN_MS = 2_000;

// The address of a page that a sign-in ended at has its code and state, which the history need not keep.
const clean = document.querySelector("[data-clean]")?.dataset.clean;
if (clean !== undefined && location.search !== "") history.replaceState(null, "", clean);

for (const button of document.querySelectorAll("[data-copy]")) {
  if (navigator.clipboard === undefined) break;
  const label = button.textContent;
  const say = (shown, said) => {
    button.textContent = shown;
    // The status line is for screen readers: only some of them read the new label of a button.
    document.getElementById("said").textContent = said;
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      say("Copied", "Copied to the clipboard");
    } catch {
      say("Select and copy by hand", "The browser did not allow copying");
    }
    setTimeout(say, SHOWN_MS, label, "");
  });
}

// Checks forms while they are filled in, and copies. The pages do without: the server checks what is sent.

const PAUSE_MS = 300;

for (const form of document.querySelectorAll("form[data-check]")) checkWhileTyping(form);
for (const button of document.querySelectorAll("[data-copy]")) offerToCopy(button);

function checkWhileTyping(form) {
  const touched = new Set();
  let timer;
  let latest = 0;
  form.addEventListener("input", ({ target }) => {
    touched.add(target.name);
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE_MS);
  });

  async function check() {
    const number = (latest += 1);
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch("/check", { method: "POST", body }).catch(() => undefined);
    // An answer that was overtaken is about a form that is gone.
    if (!response?.ok || number !== latest) return;
    const problems = await response.json();
    for (const name of touched) show(name, problems[name] ?? "");
  }

  function show(name, problem) {
    const place = document.getElementById(`${name}-error`);
    if (place === null) return;
    place.textContent = problem;
    const field = form.elements[name];
    if (field instanceof Element) field.toggleAttribute("aria-invalid", problem !== "");
    if (field instanceof Element && problem !== "") field.setAttribute("aria-invalid", "true");
  }
}

function offerToCopy(button) {
  if (navigator.clipboard === undefined) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
}

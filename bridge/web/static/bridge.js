// What the pages do better with a script; every page works without it.
"use strict";

// Copy buttons: shown only where the clipboard can be reached.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  if (!field || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.textContent);
    const label = button.innerHTML;
    button.textContent = "Copied";
    setTimeout(() => { button.innerHTML = label; }, 2000);
  });
}

// A form is sent once: its buttons rest until the answer comes (or one comes back by history).
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    const busy = form.dataset.busy;
    setTimeout(() => {
      for (const button of form.querySelectorAll("button:not([type=button])")) {
        button.disabled = true;
        if (busy) button.textContent = busy;
      }
    });
  });
}
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// The first field with an error gets the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// While something is being synced, the status is fetched anew until it rests. Never while someone types.
const status = document.querySelector("[data-status-url]");
if (status?.dataset.busy) {
  const refresh = async () => {
    const typing = status.contains(document.activeElement);
    const answer = typing ? null : await fetch(status.dataset.statusUrl, { headers: { Accept: "text/html" } });
    if (answer?.ok && !answer.redirected) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = fresh.querySelector("[data-status-url]");
      if (part) {
        status.replaceChildren(...part.children);
        if (!part.dataset.busy) return;
      }
    }
    setTimeout(refresh, 3000);
  };
  setTimeout(refresh, 2000);
}

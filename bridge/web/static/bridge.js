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

// A new user's zone is most likely the browser's; the server can only say its own.
const zone = document.querySelector("input[data-guess=zone]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && here?.includes("/") && /UTC|GMT/.test(zone.value)) zone.value = here;

// On phones the navigation is wider than the screen: where one is, is seen.
const current = document.querySelector(".nav [aria-current]");
const bar = current?.parentElement;
if (bar && current.offsetLeft + current.offsetWidth > bar.clientWidth - 32) bar.scrollLeft = current.offsetLeft - bar.clientWidth / 3;

// The first field with an error gets the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// While something is being synced: counts as they come, and the status fetched anew when it changes. Where the
// stream can't be had, the status is fetched every few seconds. Never while someone types.
const status = document.querySelector("[data-status-url]");
if (status?.dataset.busy) {
  const typing = () => status.contains(document.activeElement) && document.activeElement.matches("input, select");
  const look = async () => {
    if (typing()) return true;
    const answer = await fetch(status.dataset.statusUrl, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return true;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = fresh.querySelector("[data-status-url]");
    if (!part) return true;
    const held = document.activeElement?.closest("[data-status-url] [href], [data-status-url] button")?.textContent;
    status.replaceChildren(...part.children);
    if (held) [...status.querySelectorAll("a[href], button")].find((each) => each.textContent === held)?.focus();
    return Boolean(part.dataset.busy);
  };
  const poll = async () => { if (await look()) setTimeout(poll, 3000); };
  const count = ({ data }) => {
    const counts = JSON.parse(data);
    for (const line of status.querySelectorAll("[data-count]")) {
      const [done, all] = counts[line.dataset.count] ?? [];
      line.hidden = all === undefined;
      if (line.hidden) continue;
      Object.assign(line.querySelector("progress"), { max: all, value: done });
      line.querySelector("span").textContent = `${done.toLocaleString("en")} of ${all.toLocaleString("en")}`;
    }
  };
  const stream = new EventSource(status.dataset.progressUrl);
  let counted = { data: "{}" };
  stream.addEventListener("count", (event) => { counted = event; count(event); });
  stream.addEventListener("look", async () => { await look(); count(counted); });
  stream.addEventListener("rest", () => { stream.close(); poll(); });
  stream.addEventListener("error", () => { if (stream.readyState === EventSource.CLOSED) poll(); });
  addEventListener("pagehide", () => stream.close());
}

// The calendar page: FullCalendar over /api/v1/events, with a legend that filters, the event pages in a dialog,
// dragging with undo, and blocks. Without this file the page shows its plain list.
"use strict";

(() => {
  const place = document.getElementById("calendar");
  if (!window.FullCalendar) { document.body.classList.add("no-calendar"); return; }

  // Remembered per browser; private windows may refuse to remember.
  const remember = (name, value) => { try { localStorage.setItem("calendar." + name, value); } catch { /* fine */ } };
  const recall = (name) => { try { return localStorage.getItem("calendar." + name); } catch { return null; } };

  const phone = matchMedia("(max-width: 52rem)");
  const loadedAt = Date.now();
  const serverNow = Date.parse(place.dataset.now + "Z"); // wall time of the studio, counted as if it were UTC
  const wallNow = () => new Date(serverNow + Date.now() - loadedAt).toISOString().slice(0, 19);
  const clock = place.dataset.clock === "12"
    ? { hour: "numeric", minute: "2-digit", meridiem: "short", omitZeroMinute: true }
    : { hour: "2-digit", minute: "2-digit", hour12: false };
  const weekStart = () => {
    try {
      const locale = new Intl.Locale(navigator.language);
      return (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay % 7 || 0;
    } catch { return 1; }
  };

  // --- what is said in the corner ---------------------------------------------------------------

  const toasts = document.createElement("div");
  toasts.className = "corner";
  toasts.setAttribute("role", "status");
  document.body.append(toasts);

  function say(words, { tone = "good", act, run } = {}) {
    const note = document.createElement("div");
    note.className = `note ${tone}`;
    const text = document.createElement("p");
    text.className = "wrap grow";
    text.textContent = words;
    note.append(text);
    const close = () => note.remove();
    if (act) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.textContent = act;
      button.addEventListener("click", () => { close(); run(); });
      note.append(button);
    }
    toasts.replaceChildren(note);
    setTimeout(close, tone === "good" ? 12000 : 20000);
  }

  // --- our pages in a dialog ---------------------------------------------------------------------

  const dialog = document.createElement("dialog");
  const shut = document.createElement("button");
  shut.type = "button";
  shut.className = "shut";
  shut.setAttribute("aria-label", "Close");
  shut.textContent = "×";
  shut.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);

  async function open(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    const page = answer?.ok && !answer.redirected && new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page && page.getElementById("dialog-part");
    if (!part) { location.assign(address); return; }
    dialog.replaceChildren(shut, part);
    dialog.setAttribute("aria-labelledby", part.getAttribute("aria-labelledby"));
    dialog.showModal();
    const first = part.querySelector("form:not(details *) input:not([type=hidden])") ?? part.querySelector("h1");
    if (first.matches("h1")) first.tabIndex = -1; // read out first; only a field looks as if one could type
    first.focus();
  }

  for (const link of document.querySelectorAll("a[data-dialog]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); open(link.href); });
  }

  // --- the legend ----------------------------------------------------------------------------------

  const boxes = [...document.querySelectorAll("#legend input")];
  const colors = Object.fromEntries(boxes.map((box) => [box.value, box.dataset.color]));
  const off = new Set((recall("off") || "").split(","));
  for (const box of boxes) {
    box.checked = !off.has(box.value);
    box.addEventListener("change", () => {
      remember("off", boxes.filter((each) => !each.checked).map((each) => each.value).join(","));
      calendar.refetchEvents();
    });
  }
  const wanted = () => new Set(boxes.filter((box) => box.checked).map((box) => box.value));

  // --- events by window -------------------------------------------------------------------------------

  let failed = false;
  async function load(window_) {
    const address = `${place.dataset.events}?from=${window_.startStr.slice(0, 10)}&to=${window_.endStr.slice(0, 10)}`;
    const answer = await fetch(address).catch(() => null);
    if (answer?.status === 401) { location.reload(); return []; }
    if (!answer?.ok) {
      if (!failed) say("The calendar can't be reached right now. What you see may be old.", { tone: "warn", act: "Try again", run: () => calendar.refetchEvents() });
      failed = true;
      throw new Error("not loaded");
    }
    failed = false;
    const shown = wanted();
    return (await answer.json()).filter((one) => shown.has(String(one.calendar))).map((one) => ({
      id: one.id, title: one.title || "(no title)", start: one.start, end: one.end, allDay: one.allDay, url: one.url,
      editable: one.movable, classNames: [one.kind, one.status, one.busy ? "busy" : "free", one.conflict ? "conflict" : "agreed"],
      extendedProps: one,
    }));
  }

  // --- dragging -------------------------------------------------------------------------------------------

  async function send(one, start, end) {
    const answer = await fetch(`${place.dataset.events}/${one.object}/move`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": place.dataset.token },
      body: JSON.stringify({ start, ...(end && { end }), etag: one.etag }),
    }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok) return said;
    throw new Error(said?.error || "It could not be saved: the server does not answer. It is back where it was.");
  }

  async function moved(change, resized) {
    const { event, oldEvent } = change;
    const one = event.extendedProps;
    const title = event.title;
    try {
      const { etag } = await send(one, event.startStr, resized || event.allDay !== oldEvent.allDay ? event.endStr : null);
      const undo = async () => {
        try {
          await send({ ...one, etag }, oldEvent.startStr, resized ? oldEvent.endStr : null);
          say(`“${title}” is back where it was.`);
        } catch (error) { say(error.message, { tone: "bad" }); }
        calendar.refetchEvents();
      };
      say(`“${title}” is ${resized ? "changed" : "moved"} to ${when(event)}.`, { act: "Undo", run: undo });
      calendar.refetchEvents();
    } catch (error) {
      change.revert();
      say(error.message, { tone: "bad" });
      calendar.refetchEvents();
    }
  }

  const when = (event) => calendar.formatRange(event.start, event.end || event.start, {
    weekday: "short", day: "numeric", month: "long", ...(event.allDay ? {} : clock),
  });

  // --- the calendar itself ----------------------------------------------------------------------------------

  const views = phone.matches
    ? { month: "dayGridMonth", list: "listAhead" }
    : { month: "dayGridMonth", week: "timeGridWeek", day: "timeGridDay", list: "listMonth" };
  const toolbar = () => phone.matches
    ? { left: "prev,next", center: "title", right: "dayGridMonth,listAhead" }
    : { left: "today prev,next", center: "title", right: "dayGridMonth,timeGridWeek,timeGridDay,listMonth" };
  const remembered = () => {
    const view = recall(phone.matches ? "view.phone" : "view");
    return Object.values(views).includes(view) ? view : phone.matches ? views.list : views.month;
  };
  const recent = Number(recall("date.at")) > Date.now() - 3600_000; // a day later one wants to see today

  const calendar = new FullCalendar.Calendar(place, {
    timeZone: place.dataset.zone,
    now: wallNow,
    locale: place.dataset.clock === "12" ? "en-US" : "en-GB",
    firstDay: weekStart(),
    initialView: remembered(),
    initialDate: (recent && recall("date")) || wallNow(),
    headerToolbar: toolbar(),
    buttonText: { today: "Today", month: "Month", week: "Week", day: "Day", list: "List", listAhead: "List" },
    buttonHints: { prev: "Earlier: previous $0", next: "Later: next $0", today: "To today" },
    eventTimeFormat: clock,
    slotLabelFormat: clock,
    height: "auto",
    views: { listAhead: { type: "list", duration: { days: 30 }, listDaySideFormat: { weekday: "long" } } },
    dayMaxEvents: true,
    nowIndicator: true,
    navLinks: true,
    scrollTime: "08:00:00",
    slotDuration: "00:30:00",
    snapDuration: "00:15:00",
    noEventsText: "Nothing planned here.",
    selectable: true,
    selectMinDistance: 8,
    longPressDelay: 500,
    events: load,
    eventDidMount({ el, event }) {
      const one = event.extendedProps;
      el.style.setProperty("--c", colors[one.calendar] || "");
      const extra = [one.status === "tentative" && "tentative", one.status === "cancelled" && "cancelled", one.conflict && "overlaps another event", one.place]
        .filter(Boolean).join(", ");
      if (extra) el.title = `${event.title}: ${extra}`;
    },
    eventClick(click) { click.jsEvent.preventDefault(); open(click.event.url); },
    eventDrop: (change) => moved(change, false),
    eventResize: (change) => moved(change, true),
    select({ startStr, endStr, allDay }) {
      const [start, end] = allDay ? [`${startStr}T09:00`, `${startStr}T17:00`] : [startStr, endStr];
      calendar.unselect();
      open(`${place.dataset.block}?start=${encodeURIComponent(start.slice(0, 16))}&end=${encodeURIComponent(end.slice(0, 16))}`);
    },
    dayCellDidMount({ el }) { el.removeAttribute("aria-labelledby"); }, // it would hide the cell's own words
    datesSet({ view }) {
      for (const icon of place.querySelectorAll(".fc-icon")) { icon.removeAttribute("role"); icon.ariaHidden = "true"; }
      remember(phone.matches ? "view.phone" : "view", view.type);
      remember("date", calendar.formatIso(calendar.getDate()).slice(0, 10));
      remember("date.at", Date.now());
    },
  });
  calendar.render();

  phone.addEventListener("change", () => location.reload()); // turned or resized across the border: the other layout
  // What other devices changed is seen on coming back.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) calendar.refetchEvents(); });
})();

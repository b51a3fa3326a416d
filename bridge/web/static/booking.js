// Shows the times in the visitor's own zone, once, unless a zone was chosen; without a script they are the studio's.
"use strict";

const shown = document.querySelector("[data-zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (shown && own && own !== shown.dataset.zone && !("chosen" in shown.dataset)) {
  const address = new URL(location.href);
  address.searchParams.set("tz", own);
  location.replace(address);
}

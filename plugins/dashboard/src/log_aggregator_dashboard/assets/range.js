// The control of the time range: its choices, from when to when, and the ways out of a zoom.

import { choice, h } from "./dom.js";
import { clock, day } from "./format.js";
import { adjust } from "./place.js";
import { asked, span } from "./times.js";
import { parsed, zoneName } from "./zone.js";

const CHOICES = [
  ["-5m", "Last 5 minutes"], ["-15m", "Last 15 minutes"], ["-1h", "Last hour"], ["-6h", "Last 6 hours"], ["-24h", "Last 24 hours"],
  ["-7d", "Last 7 days"], ["-30d", "Last 30 days"],
];

/** The control in the page's head. `changed` is called when another range was picked. */
export function picker(changed) {
  const { since, until } = asked();
  const custom = Boolean(until) || !CHOICES.some(([value]) => value === since);
  const options = custom ? [...CHOICES, ["other", label()]] : [...CHOICES, ["other", "Other…"]];
  const select = choice("Time range", options, custom ? "other" : since, (value) => {
    if (value === "other") return open(changed);
    adjust({ since: value, until: "" });
    changed();
  });
  const button = (text, title, onclick) => h("button", { type: "button", title, "aria-label": title, onclick }, text);
  return h("div", { class: "range" }, select, custom && [
    button("Change", "Choose from when to when", () => open(changed)),
    button("−", "Zoom out", () => wider(changed)),
    button("✕", "Back to the usual time range", () => { adjust({ since: "", until: "" }); changed(); })]);
}

function label() {
  const [start, end] = span();
  const last = day(start) === day(end) ? clock(end) : `${day(end)} ${clock(end)}`;
  return `${day(start)} ${clock(start)} – ${last}`;
}

/** Three times the range, about its middle, but not beyond now. */
function wider(changed) {
  const [start, end] = span(), size = end - start;
  const until = Math.min(Date.now(), end + size);
  pick(new Date(until - 3 * size), new Date(until), changed);
}

function open(changed) {
  const [start, end] = span();
  const since = h("input", { type: "datetime-local", id: "since", required: true, value: local(start) });
  const until = h("input", { type: "datetime-local", id: "until", required: true, value: local(end) });
  let picked = false;
  const dialog = h("dialog", { "aria-labelledby": "range-title" },
    h("form", { onsubmit: (event) => { event.preventDefault(); accept(); } },
      h("h2", { id: "range-title" }, "Time range"),
      h("label", { for: "since" }, `From (${zoneName(start)})`), since,
      h("label", { for: "until" }, `Until (${zoneName(end)})`), until,
      h("p", { class: "row" }, h("button", { class: "main" }, "Show"), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  const accept = () => {
    if (since.value >= until.value) {
      until.setCustomValidity("Must be later than “From”.");
      until.reportValidity();
      until.setCustomValidity("");
      return;
    }
    picked = true;
    pick(new Date(parsed(since.value)), new Date(parsed(until.value)), changed);
    dialog.close();
  };
  dialog.addEventListener("close", () => { dialog.remove(); if (!picked) changed(); });
  document.body.append(dialog);
  dialog.showModal();
}

/** Show exactly from `start` to `end` (dates). */
export function pick(start, end, changed) {
  adjust({ since: start.toISOString(), until: end.toISOString() });
  changed();
}

const local = (value) => `${day(value)}T${clock(value)}`;

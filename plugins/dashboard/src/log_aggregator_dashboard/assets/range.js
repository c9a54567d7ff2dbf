// The time range: its choices, how it is picked, and which step suits a chart of it.

import { setting } from "./api.js";
import { choice, h } from "./dom.js";
import { clock, day } from "./format.js";
import { adjust, here } from "./place.js";

const CHOICES = [
  ["-15m", "Last 15 minutes"], ["-1h", "Last hour"], ["-6h", "Last 6 hours"], ["-24h", "Last 24 hours"],
  ["-7d", "Last 7 days"], ["-30d", "Last 30 days"],
];
const UNITS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const USUAL = "-24h";
const BUCKET = Number(setting("bucket"));

/** The range as the service is asked for it: {since, until}. */
export function asked() {
  const { since, until } = here().parameters;
  return { since: since || USUAL, until };
}

/** The range in epoch milliseconds: [start, end]. */
export function span() {
  const { since, until } = asked();
  return [moment(since), until ? moment(until) : Date.now()];
}

function moment(text) {
  const relative = /^-(\d+)([smhdw])$/.exec(text);
  if (relative) return Date.now() - relative[1] * UNITS[relative[2]] * 1000;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? Date.now() - 86400000 : parsed;
}

/** Seconds per bar so that about `bars` fit: a multiple of what the store keeps. */
export function step(bars = 72) {
  const [start, end] = span();
  const buckets = Math.max(1, Math.ceil((end - start) / 1000 / bars / BUCKET));
  const round = [1, 2, 3, 6, 12, 24, 36, 72, 144, 288].find((count) => count >= buckets) ?? buckets;
  return round * BUCKET;
}

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
  const again = custom ? h("button", { type: "button", title: "Choose from when to when", onclick: () => open(changed) }, "Change") : null;
  return h("div", { class: "range" }, select, again);
}

function label() {
  const [start, end] = span().map((value) => new Date(value));
  const last = day(start) === day(end) ? clock(end) : `${day(end)} ${clock(end)}`;
  return `${day(start)} ${clock(start)} – ${last}`;
}

function open(changed) {
  const [start, end] = span();
  const since = h("input", { type: "datetime-local", id: "since", required: true, value: local(start) });
  const until = h("input", { type: "datetime-local", id: "until", required: true, value: local(end) });
  const dialog = h("dialog", { "aria-labelledby": "range-title" },
    h("form", { onsubmit: (event) => { event.preventDefault(); accept(); } },
      h("h2", { id: "range-title" }, "Time range"),
      h("label", { for: "since" }, "From"), since,
      h("label", { for: "until" }, "Until"), until,
      h("p", { class: "row" }, h("button", { class: "main" }, "Show"), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  const accept = () => {
    if (since.value >= until.value) {
      until.setCustomValidity("Must be later than “From”.");
      until.reportValidity();
      until.setCustomValidity("");
      return;
    }
    pick(new Date(since.value), new Date(until.value), changed);
    dialog.close();
  };
  dialog.addEventListener("close", () => { dialog.remove(); changed(); });
  document.body.append(dialog);
  dialog.showModal();
}

/** Show exactly from `start` to `end` (dates). */
export function pick(start, end, changed) {
  adjust({ since: start.toISOString(), until: end.toISOString() });
  changed();
}

const local = (value) => { const at = new Date(value); return `${day(at)}T${clock(at)}`; };

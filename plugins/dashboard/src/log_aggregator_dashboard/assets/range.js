// The control of the time range: its choices, from when to when, and the ways out of a zoom.

import { choice, h } from "./dom.js";
import { clock, day, isoDay } from "./format.js";
import { adjust } from "./place.js";
import { t } from "./text.js";
import { asked, span } from "./times.js";
import { parsed, zoneName } from "./zone.js";

const CHOICES = [
  ["-5m", t("range.m5")], ["-15m", t("range.m15")], ["-1h", t("range.h1")], ["-6h", t("range.h6")], ["-24h", t("range.h24")],
  ["-7d", t("range.d7")], ["-30d", t("range.d30")],
];

/** The control in the page's head. `changed` is called when another range was picked. */
export function picker(changed) {
  const { since, until } = asked();
  const custom = Boolean(until) || !CHOICES.some(([value]) => value === since);
  const options = custom ? [...CHOICES, ["other", label()]] : [...CHOICES, ["other", t("range.other")]];
  const select = choice(t("range.title"), options, custom ? "other" : since, (value) => {
    if (value === "other") return open(changed);
    adjust({ since: value, until: "" });
    changed();
  });
  const button = (text, title, onclick) => h("button", { type: "button", title, "aria-label": title, onclick }, text);
  return h("div", { class: "range" }, select, custom && [
    button(t("range.change"), t("range.change_title"), () => open(changed)),
    button("−", t("range.out"), () => wider(changed)),
    button("✕", t("range.back"), () => { adjust({ since: "", until: "" }); changed(); })]);
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
      h("h2", { id: "range-title" }, t("range.title")),
      h("label", { for: "since" }, t("range.from", { zone: zoneName(start) })), since,
      h("label", { for: "until" }, t("range.until", { zone: zoneName(end) })), until,
      h("p", { class: "row" }, h("button", { class: "main" }, t("range.show")), h("button", { type: "button", onclick: () => dialog.close() }, t("word.cancel")))));
  const accept = () => {
    if (since.value >= until.value) {
      until.setCustomValidity(t("range.order"));
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

const local = (value) => `${isoDay(value)}T${clock(value)}`;

// The original logs of a pattern: when, from where, how severe, with their metadata; to be copied and followed.

import { offers, setting } from "./api.js";
import { h } from "./dom.js";
import { instant, when } from "./format.js";
import { levelBadge } from "./pieces.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";
import { around } from "./times.js";

const FIRST = 5;
const LINKS = Object.entries(JSON.parse(setting("links")));
/** Keys that name one request or trace: the same value elsewhere is worth a question. */
const IDS = /(^|[._-])(trace|request|req|correlation|span|session|order|user)?[._-]?id$|^traceparent$|(trace|request|correlation|span|session|transaction)[._-]?id$/i;

/** The list for `sample_logs` of GET /patterns/{id}, newest first; with `samples` alone, of a store without them. */
export function sampleList(pattern) {
  const logs = pattern.sample_logs?.length ? pattern.sample_logs : (pattern.samples ?? []).map((message) => ({ message, metadata: {} }));
  if (!logs.length) return h("p", { class: "quiet" }, "No original messages are kept.");
  const folded = fold(logs);
  const list = h("ul", { class: "samples" }, folded.slice(0, FIRST).map(one));
  const rest = folded.slice(FIRST);
  const more = rest.length > 0 && h("button", { type: "button", onclick: () => { list.append(...rest.map(one)); more.remove(); } }, `Show ${rest.length} more`);
  return h("div", {}, list, more);
}

/** Logs that say the same, apart from when, as one with its times. */
function fold(logs) {
  const known = new Map();
  for (const log of logs) {
    const key = JSON.stringify([log.message, log.level, log.source, log.metadata]);
    const same = known.get(key);
    if (same) same.times.push(log.time);
    else known.set(key, { ...log, times: [log.time] });
  }
  return [...known.values()];
}

function one(log) {
  const values = flat(log.metadata ?? {});
  const link = links(Object.fromEntries(values));
  return h("li", {},
    log.time && h("div", { class: "row about" },
      h("time", { datetime: log.time }, `${when(log.time).slice(0, 10)} ${instant(log.time)}`), log.level && levelBadge(log.level), h("span", {}, log.source),
      log.times.length > 1 && h("span", { class: "quiet" }, `${log.times.length} times, first ${when(log.times.at(-1))}`),
      h("a", { href: address("pattern", around(log.time), here()) }, "± 15 min"), link, copyButton("Copy", () => JSON.stringify({ ...log, times: undefined }))),
    h("pre", { tabindex: "0" }, log.message),
    values.length > 0 && h("dl", { class: "meta" }, values.map(([key, value]) => h("div", {}, h("dt", {}, key),
      h("dd", {}, copyButton(value, () => value), IDS.test(key) && elsewhere(value), offers("GET /compare") && h("a", { href: address("patterns", { q: filterFor("meta", key, value) }), title: "Patterns with this value", "aria-label": `Patterns with ${key} ${value}` }, "filter"))))));
}

const here = () => location.hash.split(/[/?]/)[2] ?? "";

const elsewhere = (value) => h("a", { href: address("patterns", { q: `"${value.replaceAll('"', "")}"` }), "aria-label": `${value} elsewhere`, title: "Other patterns with this value in a sample" }, "elsewhere");

function flat(metadata, prefix = "") {
  return Object.entries(metadata).flatMap(([key, value]) => (value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length
    ? flat(value, `${prefix}${key}.`) : [[prefix + key, typeof value === "string" ? value : JSON.stringify(value)]]));
}

/** Links out whose template is filled by this log's metadata. */
function links(values) {
  return LINKS.flatMap(([title, template]) => {
    const wanted = [...template.matchAll(/\{([^{}]+)\}/g)].map(([, key]) => key);
    if (!wanted.length || !wanted.every((key) => key in values)) return [];
    const target = template.replace(/\{([^{}]+)\}/g, (_, key) => encodeURIComponent(values[key]));
    return [h("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, title)];
  });
}

/** A text that is copied by a click. */
export function copyButton(text, value) {
  const said = h("span", {}, text);
  return h("button", { type: "button", class: "copy", title: "Copy", onclick: async () => {
    try {
      await navigator.clipboard.writeText(value());
      said.textContent = "Copied";
    } catch {
      said.textContent = "Select and copy";
    }
    setTimeout(() => said.replaceChildren(text), 1200);
  } }, said);
}

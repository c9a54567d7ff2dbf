// The original logs of a pattern: when, from where, how severe, with their metadata; to be copied and followed.

import { offers, setting } from "./api.js";
import { h } from "./dom.js";
import { day, instant, when } from "./format.js";
import { levelBadge } from "./pieces.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";
import { t } from "./text.js";
import { around } from "./times.js";

const FIRST = 5;
const LINKS = Object.entries(JSON.parse(setting("links")));
/** Keys that name one request or trace: the same value elsewhere is worth a question. */
const IDS = /(^|[._-])(trace|request|req|correlation|span|session|order|user)?[._-]?id$|^traceparent$|(trace|request|correlation|span|session|transaction)[._-]?id$/i;

/** The list for `sample_logs` of GET /patterns/{id}, newest first; with `samples` alone, of a store without them. */
export function sampleList(pattern) {
  const logs = pattern.sample_logs?.length ? pattern.sample_logs : (pattern.samples ?? []).map((message) => ({ message, metadata: {} }));
  if (!logs.length) return h("p", { class: "quiet" }, t("samples.none"));
  const folded = fold(logs);
  const list = h("ul", { class: "samples" }, folded.slice(0, FIRST).map(one));
  const rest = folded.slice(FIRST);
  const more = rest.length > 0 && h("button", { type: "button", onclick: () => { list.append(...rest.map(one)); more.remove(); } }, t("samples.more", { n: rest.length }));
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
      h("time", { datetime: log.time }, `${day(new Date(log.time))} ${instant(log.time)}`), log.level && levelBadge(log.level), h("span", {}, log.source),
      log.times.length > 1 && h("span", { class: "quiet" }, t("samples.times", { n: log.times.length, when: when(log.times.at(-1)) })),
      h("a", { href: address("pattern", around(log.time), here()) }, `± 15 ${t("time.min")}`), link, copyButton(t("word.copy"), () => JSON.stringify({ ...log, times: undefined }))),
    h("pre", { tabindex: "0" }, log.message),
    values.length > 0 && h("dl", { class: "meta" }, values.map(([key, value]) => h("div", {}, h("dt", {}, key),
      h("dd", {}, copyButton(value, () => value), IDS.test(key) && elsewhere(value), offers("GET /compare") && h("a", { href: address("patterns", { q: filterFor("meta", key, value) }), title: t("samples.filter_title"), "aria-label": t("samples.filter_label", { key, value }) }, t("samples.filter")))))));
}

const here = () => location.hash.split(/[/?]/)[2] ?? "";

const elsewhere = (value) => h("a", { href: address("patterns", { q: `"${value.replaceAll('"', "")}"` }), "aria-label": t("samples.elsewhere_label", { value }), title: t("samples.elsewhere_title") }, t("samples.elsewhere"));

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
  return h("button", { type: "button", class: "copy", title: t("word.copy"), onclick: async () => {
    try {
      await navigator.clipboard.writeText(value());
      said.textContent = t("word.copied");
    } catch {
      said.textContent = t("word.not_copied");
    }
    setTimeout(() => said.replaceChildren(text), 1200);
  } }, said);
}

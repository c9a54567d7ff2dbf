// What the metadata or the variables of a pattern's logs looked like: each key with its values, and figures of numbers.

import { offers } from "./api.js";
import { h } from "./dom.js";
import { compact, exact, figure, percent } from "./format.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";

const VALUES = 6;

/** The table for the `metadata` or `variables` of GET /patterns/{id}; `logs` is the pattern's count, `kind` "meta" or
 *  "var". A click on a value shows the patterns that have it. */
export function metadataTable(metadata, logs, kind = "meta") {
  const keys = Object.entries(metadata);
  const label = kind === "meta" ? "Metadata" : "Variables";
  if (!keys.length && kind === "var") return h("p", { class: "quiet" }, "This pattern has no placeholders, or their values are not kept.");
  if (!keys.length) {
    return h("p", { class: "quiet" }, "These logs came without metadata. Send an object as ", h("code", {}, "metadata"), ", or any further keys of the log.");
  }
  keys.sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "metadata" },
    h("thead", {}, h("tr", {}, ["Key", "In", "Distinct", "Most frequent values", "Numbers"].map((name, index) => h("th", { scope: "col", class: index === 1 || index === 2 ? "number" : "" }, name)))),
    h("tbody", {}, keys.map(([key, entry]) => h("tr", {},
      h("th", { scope: "row" }, offers("GET /values") ? h("a", { href: address("values", { key, kind: kind === "meta" ? "" : kind }), title: "Errors by value" }, key) : key), h("td", { class: "number" }, percent(entry.count / logs)),
      h("td", { class: "number" }, `${entry.complete === false ? "~" : ""}${compact(entry.distinct ?? 0)}`), h("td", {}, values(entry, kind, key)), h("td", {}, numbers(entry.numbers)))))));
}

function values(entry, kind, key) {
  const shown = (entry.values ?? []).slice(0, VALUES);
  return h("ul", { class: "values" }, shown.map(({ value, count }) => h("li", { title: `${exact(count)} logs` },
    offers("GET /compare") ? h("a", { href: address("patterns", { q: filterFor(kind, key, value) }) }, h("code", {}, value)) : h("code", {}, value), h("span", { class: "quiet" }, ` ${percent(count / entry.count)}`))));
}

function numbers(stats) {
  if (!stats) return h("span", { class: "quiet" }, "–");
  const unit = stats.unit ? ` ${stats.unit}` : "";
  const pairs = [["min", stats.min], ["median", stats.p50], ["mean", stats.mean], ["p95", stats.p95], ["max", stats.max]];
  return h("dl", { class: "numbers" }, pairs.filter(([, value]) => value !== undefined).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, `${figure(value)}${unit}`))));
}

// What the metadata or the variables of a pattern's logs looked like: each key with its values, and figures of numbers.

import { offers } from "./api.js";
import { h } from "./dom.js";
import { compact, figure, percent } from "./format.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";
import { t } from "./text.js";

const VALUES = 6;

/** The table for the `metadata` or `variables` of GET /patterns/{id}; `logs` is the pattern's count, `kind` "meta" or
 *  "var". A click on a value shows the patterns that have it. */
export function metadataTable(metadata, logs, kind = "meta") {
  const keys = Object.entries(metadata);
  const label = t(kind === "meta" ? "word.metadata" : "word.variables");
  if (!keys.length && kind === "var") return h("p", { class: "quiet" }, t("meta.no_variables"));
  if (!keys.length) {
    return h("p", { class: "quiet" }, t("meta.none", { key: h("code", {}, "metadata") }));
  }
  keys.sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "metadata" },
    h("thead", {}, h("tr", {}, [t("meta.key"), t("meta.in"), t("meta.distinct"), t("meta.frequent"), t("word.numbers")].map((name, index) => h("th", { scope: "col", class: index === 1 || index === 2 ? "number" : "" }, name)))),
    h("tbody", {}, keys.map(([key, entry]) => h("tr", {},
      h("th", { scope: "row" }, offers("GET /values") ? h("a", { href: address("values", { key, kind: kind === "meta" ? "" : kind }), title: t("word.errors_by_value") }, key) : key), h("td", { class: "number" }, percent(entry.count / logs)),
      h("td", { class: "number" }, `${entry.complete === false ? "~" : ""}${compact(entry.distinct ?? 0)}`), h("td", {}, values(entry, kind, key)), h("td", {}, numbers(entry.numbers)))))));
}

function values(entry, kind, key) {
  const shown = (entry.values ?? []).slice(0, VALUES);
  return h("ul", { class: "values" }, shown.map(({ value, count }) => h("li", { title: t("word.logs", { n: count }) },
    offers("GET /compare") ? h("a", { href: address("patterns", { q: filterFor(kind, key, value) }) }, h("code", {}, value)) : h("code", {}, value), h("span", { class: "quiet" }, ` ${percent(count / entry.count)}`))));
}

function numbers(stats) {
  if (!stats) return h("span", { class: "quiet" }, "–");
  const unit = stats.unit ? ` ${stats.unit}` : "";
  const pairs = [["min", stats.min], ["p50", stats.p50], ["mean", stats.mean], ["p95", stats.p95], ["max", stats.max]];
  return h("dl", { class: "numbers" }, pairs.filter(([, value]) => value !== undefined).map(([name, value]) =>
    h("div", {}, h("dt", {}, t(`meta.${name}`)), h("dd", {}, `${figure(value)}${unit}`))));
}

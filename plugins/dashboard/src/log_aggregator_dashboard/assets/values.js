// The page of one key: logs and errors by the value of its metadata, or of a variable. A value leads to its patterns.

import { get } from "./api.js";
import { h } from "./dom.js";
import { exact, percent } from "./format.js";
import { problem } from "./pieces.js";
import { adjust, address, here } from "./place.js";
import { filterFor } from "./query.js";
import { ranking } from "./ranking.js";
import { renewed } from "./refresh.js";
import { t } from "./text.js";
import { asked } from "./times.js";

const MOST = 100;

export function showValues(main, { signal }) {
  const renew = renewed(signal);
  const body = h("div", { class: "panel" });
  const { key = "", kind = "meta", q = "" } = here().parameters;
  const field = (name, label, value, hint) => {
    const input = h("input", { type: "text", id: name, value, placeholder: hint, spellcheck: "false", onchange: () => { adjust({ [name]: input.value.trim() }); load(); } });
    return h("div", {}, h("label", { for: name }, label), input);
  };
  main.append(h("h1", {}, t("page.values")), h("div", { class: "ranges" },
    field("key", t(kind === "var" ? "values.variable" : "values.key"), key, kind === "var" ? "ID" : "region"), field("q", t("word.search"), q, t("word.all_logs"))), body);
  const load = async () => {
    const current = renew();
    const { key: wanted, kind: of = "meta", q: search } = here().parameters;
    if (!wanted) return body.replaceChildren(h("p", { class: "quiet" }, t("values.name")));
    body.replaceChildren(h("p", { class: "quiet" }, t("values.counting")));
    try {
      const answer = await get("values", { ...asked(), key: wanted, kind: of, q: search, limit: MOST }, current);
      if (!current.aborted) body.replaceChildren(...shown(answer, wanted, of));
    } catch (error) {
      if (!current.aborted) body.replaceChildren(problem(error, load));
    }
  };
  load();
}

function shown({ logs, errors, distinct, complete, values }, key, kind) {
  if (!values.length) return [h("p", { class: "quiet" }, t("values.none"))];
  const target = (value) => address("patterns", { q: filterFor(kind, key, value) });
  const worst = [...values].filter(({ errors: count }) => count).sort((a, b) => b.error_share - a.error_share).slice(0, 10);
  const table = h("table", {}, h("thead", {}, h("tr", {}, [t("values.value"), t("word.logs_title"), t("word.errors_title"), t("word.share_of_errors"), t("page.patterns")].map((name, index) => h("th", { scope: "col", class: index ? "number" : "" }, name)))),
    h("tbody", {}, values.map((one) => h("tr", {}, h("th", { scope: "row" }, h("a", { href: target(one.value) }, h("code", {}, one.value))),
      ...[exact(one.logs), exact(one.errors), percent(one.error_share), exact(one.patterns)].map((text) => h("td", { class: "number" }, text))))));
  return [h("p", { class: "quiet" }, t(complete ? "values.found" : "values.found_part", { logs, errors, distinct })),
    worst.length > 0 && h("section", { "aria-label": t("word.errors_by_value") }, h("h2", {}, t("word.errors_by_value")),
      ranking(worst.map((one) => [one.value, one.error_share, target(one.value), percent(one.error_share)]), () => "level-error", t("values.by"))),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("values.list") }, table)].filter(Boolean);
}

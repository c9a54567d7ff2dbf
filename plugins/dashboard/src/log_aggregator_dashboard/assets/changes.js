// What differs between two spans of time, as GET /compare answers it.

import { h } from "./dom.js";
import { compact, exact, figure, percent } from "./format.js";
import { levelBadge, patternText } from "./pieces.js";
import { address } from "./place.js";
import { filterFor } from "./query.js";
import { t } from "./text.js";

const LISTS = ["new", "gone", "more", "less", "levels", "values"];

/** The lists of an answer of GET /compare; a sentence when nothing differs. */
export function changeList(answer) {
  const shown = LISTS.filter((key) => answer[key]?.length);
  if (!shown.length) return h("p", { class: "quiet" }, t("compare.nothing", { n: answer.compared ?? 0 }));
  return h("div", {}, shown.map((key) => {
    const title = t(`compare.${key}`);
    const all = answer.found?.[key] ?? answer[key].length;
    return h("section", { "aria-label": title }, h("h3", {}, `${title} (${exact(all)})`), h("ul", { class: "changes" }, answer[key].map((change) => one(key, change))));
  }));
}

function one(key, change) {
  const [before, after] = [compact(change.before), compact(change.after)];
  return h("li", {}, levelBadge(change.level), h("a", { href: address("pattern", {}, change.pattern_id) }, change.triage?.name || patternText(change.pattern)),
    h("span", { class: "quiet" }, change.source), h("b", {}, text(key, change, before, after)));
}

function text(key, change, before, after) {
  if (key === "new") return t("word.logs_short", { count: after });
  if (key === "gone") return t("compare.gone_text", { count: before });
  if (key === "levels") return t("compare.share", { before: percent(change.share_before), after: percent(change.share_after) });
  if (key === "values") return h("a", { href: address("patterns", { q: filterFor(change.kind === "variable" ? "var" : "meta", change.key, change.value) }) }, `${change.key} = ${change.value}: ${percent(change.share_before)} → ${percent(change.share_after)}`);
  return `${before} → ${after}${change.ratio ? t("compare.ratio", { times: figure(Number(change.ratio.toPrecision(2))) }) : ""}`;
}

// The columns of the list of patterns, and the controls that filter it.

import { OVERFLOW } from "./catalog.js";
import { choice, h } from "./dom.js";
import { LEVELS, compact, exact, levelClass } from "./format.js";
import { levelBadge, moment, patternText } from "./pieces.js";
import { address } from "./place.js";
import { t } from "./text.js";
import { triageBadge } from "./triage.js";

export function columns(sparks) {
  return [
    { key: "pattern", title: t("word.pattern"), sort: true, cell: (row) => [triageBadge(row.triage), h("a", { href: address("pattern", {}, row.pattern_id), tabindex: "-1", title: row.overflow ? WHAT_OVERFLOW : row.pattern }, row.overflow ? OVERFLOW_NAME : row.triage?.name || patternText(row.pattern))] },
    { key: "count", title: t("word.count"), sort: true, kind: "number", cell: (row) => h("b", { title: exact(row.count) }, compact(row.count)) },
    { key: "trend", title: t("list.trend"), cell: (row) => sparks.cell(row) },
    { key: "level", title: t("word.level"), sort: true, cell: levels },
    { key: "source", title: t("word.source"), sort: true, cell: (row) => [row.source, row.otherSources > 0 && h("span", { class: "quiet" }, ` +${row.otherSources}`)] },
    { key: "category", title: t("word.category"), sort: true, cell: (row) => row.category || h("span", { class: "quiet" }, "–") },
    { key: "first", title: t("list.first"), sort: true, cell: (row) => moment(row.first_seen) },
    { key: "last", title: t("list.last"), sort: true, cell: (row) => moment(row.last_seen) },
  ];
}

const OVERFLOW_NAME = t("overflow.name");
const WHAT_OVERFLOW = t("overflow.title", { pattern: OVERFLOW });

/** What the overflow pattern is and what helps, for its page. */
export function overflowNote() {
  return h("div", { class: "note" }, h("p", {}, t("overflow.what", { name: h("b", {}, OVERFLOW_NAME), pattern: OVERFLOW })),
    h("p", {}, t("overflow.help", { section: h("code", {}, "[plugins.patterns]"), rule: h("code", {}, "rules = [{ name = \"ORDER\", regex = 'ORD-\\d{8}' }]") })));
}

/** The usual level, and a mark when some logs are more severe. */
function levels(row) {
  const some = row.worse && `${exact(row.levels[row.worse])} ${row.worse}`;
  return [levelBadge(row.level), some && h("i", { class: `dot some ${levelClass(row.worse)}`, title: some, role: "img", "aria-label": some })];
}

export function filterSelects(catalog, wanted, change) {
  const options = (all, names, chosen) => [["", all], ...new Set([...(chosen ? [chosen] : []), ...names])].map((one) => (Array.isArray(one) ? one : [one, one]));
  const names = catalog.names((row) => row.levels).sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a));
  return [
    choice(t("word.level"), [["", t("word.all_levels")], ["errors", t("list.errors_only")], ...names.map((name) => [name, name])], wanted.level ?? "", (level) => change({ level })),
    choice(t("word.source"), options(t("list.sources"), catalog.names((row) => row.sources).slice(0, 500), wanted.source), wanted.source ?? "", (source) => change({ source })),
    choice(t("word.category"), options(t("list.categories"), catalog.names((row) => (row.category ? { [row.category]: row.count } : {})), wanted.category), wanted.category ?? "", (category) => change({ category })),
  ];
}

// The columns of the list of patterns, and the controls that filter it.

import { OVERFLOW } from "./catalog.js";
import { choice, h } from "./dom.js";
import { LEVELS, compact, exact, levelClass } from "./format.js";
import { levelBadge, moment, patternText } from "./pieces.js";
import { address } from "./place.js";
import { triageBadge } from "./triage.js";

export function columns(sparks) {
  return [
    { key: "pattern", title: "Pattern", sort: true, cell: (row) => [triageBadge(row.triage), h("a", { href: address("pattern", {}, row.pattern_id), tabindex: "-1", title: row.overflow ? WHAT_OVERFLOW : row.pattern }, row.overflow ? OVERFLOW_NAME : row.triage?.name || patternText(row.pattern))] },
    { key: "count", title: "Count", sort: true, kind: "number", cell: (row) => h("b", { title: exact(row.count) }, compact(row.count)) },
    { key: "trend", title: "Over time", cell: (row) => sparks.cell(row) },
    { key: "level", title: "Level", sort: true, cell: levels },
    { key: "source", title: "Source", sort: true, cell: (row) => [row.source, row.otherSources > 0 && h("span", { class: "quiet" }, ` +${row.otherSources}`)] },
    { key: "category", title: "Category", sort: true, cell: (row) => row.category || h("span", { class: "quiet" }, "–") },
    { key: "first", title: "First seen", sort: true, cell: (row) => moment(row.first_seen) },
    { key: "last", title: "Last seen", sort: true, cell: (row) => moment(row.last_seen) },
  ];
}

const OVERFLOW_NAME = "Logs without a pattern of their own";
const WHAT_OVERFLOW = `${OVERFLOW}: these logs came when as many groups were in memory as may be`;

/** What the overflow pattern is and what helps, for its page. */
export function overflowNote() {
  return h("div", { class: "note" }, h("p", {}, h("b", {}, OVERFLOW_NAME), `: they are counted exactly, by level and source, under ${OVERFLOW}. They came when more different groups were in memory than the setting MAX_GROUPS allows.`),
    h("p", {}, "Most often one source writes ids, names or whole payloads into its messages, so that each log becomes a pattern. The sources below show which. A rule for ",
      h("code", {}, "[plugins.patterns]"), " that masks the varying part helps, such as ", h("code", {}, "rules = [{ name = \"ORDER\", regex = 'ORD-\\d{8}' }]"), "."));
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
    choice("Level", [["", "All levels"], ["errors", "Errors only"], ...names.map((name) => [name, name])], wanted.level ?? "", (level) => change({ level })),
    choice("Source", options("All sources", catalog.names((row) => row.sources).slice(0, 500), wanted.source), wanted.source ?? "", (source) => change({ source })),
    choice("Category", options("All categories", catalog.names((row) => (row.category ? { [row.category]: row.count } : {})), wanted.category), wanted.category ?? "", (category) => change({ category })),
  ];
}

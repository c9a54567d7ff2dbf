// The page of all patterns: search, filters, sorting; what is chosen is in the address.

import { Catalog, MOST } from "./catalog.js";
import { choice, h, replace, settled } from "./dom.js";
import { LEVELS, compact, exact, levelClass } from "./format.js";
import { Grid } from "./grid.js";
import { levelBadge, moment, noLogs, patternText, problem } from "./pieces.js";
import { address, adjust, go, here } from "./place.js";
import { asked } from "./range.js";
import { pause, repeat } from "./refresh.js";
import { Sparks } from "./sparks.js";

const EVERY = 30;
// A refresh may take this part of the time between two: a large list is asked for less often.
const GENTLE = 20;
const PAUSE = "Pause updates", RESUME = "Resume updates";
const narrow = matchMedia("(max-width: 760px)");

export async function showPatterns(main, { place, signal, again }) {
  const catalog = new Catalog(), sparks = new Sparks(signal);
  const count = h("span", { class: "quiet", role: "status", id: "count" }, "Loading…");
  const search = h("input", { type: "search", placeholder: "Search patterns   /", "aria-label": "Search patterns", value: place.parameters.q ?? "", spellcheck: "false" });
  const selects = h("div", { class: "row" });
  const auto = h("button", { type: "button", title: `Counts are refreshed every ${EVERY} seconds while this tab is looked at (Space)`, onclick: () => toggle() }, PAUSE);
  const body = h("div", { class: "listing" });
  const grid = new Grid({
    label: "Patterns", columns: columns(sparks), rowHeight: () => (narrow.matches ? 86 : 38),
    open: (row) => go("pattern", {}, row.pattern_id), sorted: (key) => sortBy(key), shown: (rows) => sparks.shown(rows),
  });
  body.append(grid.element);
  main.append(h("h1", { class: "hidden" }, "Patterns"), h("div", { class: "toolbar" }, search, selects, auto, count), body);

  let loads = 0, paused = false, stale = "";
  const filters = () => {
    const { q, level, source, category, sort = "count", reverse } = here().parameters;
    return { q, level, source, category, sort, reverse: reverse === "1" };
  };
  const draw = () => {
    const wanted = filters();
    const rows = catalog.matching(wanted);
    grid.set(rows, wanted.sort, wanted.reverse);
    count.textContent = summary(rows.length, catalog) + stale;
    const empty = catalog.complete && !rows.length;
    grid.element.hidden = empty;
    body.querySelector(".empty")?.remove();
    if (empty) body.append(catalog.rows.length || beyond(wanted) ? nothingMatches(change) : noLogs("No patterns in this time"));
  };
  const refine = settled(() => load(), 300, signal);
  const change = (changes) => {
    adjust(changes);
    if ("q" in changes && search.value !== changes.q) search.value = changes.q;
    if (catalog.asking || (catalog.more && catalog.complete)) refine();
    else draw();
    choices();
  };
  const sortBy = (key) => {
    const { sort, reverse } = filters();
    change({ sort: key === "count" ? "" : key, reverse: sort === key && !reverse ? "1" : "" });
  };
  const choices = () => replace(selects, ...filterSelects(catalog, filters(), change));
  const question = () => {
    // With more patterns than are kept here, the service searches.
    const { q, level, source, category } = filters();
    return { ...asked(), ...(catalog.asking ? { q, level: level === "errors" ? "" : level, source, category } : {}) };
  };
  const load = async () => {
    catalog.asking = catalog.more;
    loads += 1;
    try {
      let due = 0;
      await catalog.load(question(), signal, () => {
        if (performance.now() < due && !catalog.complete) return;
        draw();
        due = performance.now() + 250;
      });
      choices();
    } catch (error) {
      if (!signal.aborted) body.replaceChildren(problem(error, again));
    }
  };
  search.addEventListener("input", settled(() => change({ q: search.value.trim() }), 60, signal));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    grid.element.focus();
    if (grid.active < 0) grid.key({ key: "ArrowDown", target: grid.element });
  });
  const refresh = async () => {
    // Nobody loses the text that is being marked, or an open choice.
    if (paused || !catalog.complete || String(getSelection())) return EVERY;
    const before = loads, start = performance.now();
    const found = new Catalog();
    await found.load(question(), signal, () => {});
    if (!paused && loads === before) {
      [catalog.rows, catalog.more, stale] = [found.rows, found.more, ""];
      sparks.outdated();
      draw();
      if (!selects.contains(document.activeElement)) choices();
    }
    return Math.max(EVERY, GENTLE * (performance.now() - start) / 1000);
  };
  const toggle = () => {
    paused = !paused;
    auto.textContent = paused ? RESUME : PAUSE;
    if (!paused) refresh().catch(failed);
  };
  const failed = (error) => {
    // What is shown stays readable; it is only older than it could be.
    stale = ` · not refreshed: ${error.message}`;
    draw();
  };
  choices();
  load().then(() => pause(EVERY * 1000, signal)).then(() => repeat(refresh, EVERY, signal, failed));
  return { key: (event) => {
    if (event.target.closest("a, button")) return false;
    if (event.key === " ") {
      toggle();
      return true;
    }
    return !event.target.closest(".scroller") && grid.key(event);
  } };
}

const beyond = ({ q, level, source, category }) => q || level || source || category;

function summary(matching, catalog) {
  const all = catalog.rows.length;
  const shown = matching === all ? `${exact(all)} patterns` : `${exact(matching)} of ${exact(all)} patterns`;
  if (!catalog.complete) return `${shown}, loading…`;
  return catalog.more ? `${shown}; the ${exact(MOST)} most frequent of more. Search, filter or a shorter time finds the rest` : shown;
}

function filterSelects(catalog, wanted, change) {
  const options = (all, names, chosen) => [["", all], ...new Set([...(chosen ? [chosen] : []), ...names])].map((one) => (Array.isArray(one) ? one : [one, one]));
  const levels = catalog.names((row) => row.levels).sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a));
  return [
    choice("Level", [["", "All levels"], ["errors", "Errors only"], ...levels.map((name) => [name, name])], wanted.level ?? "", (level) => change({ level })),
    choice("Source", options("All sources", catalog.names((row) => row.sources).slice(0, 500), wanted.source), wanted.source ?? "", (source) => change({ source })),
    choice("Category", options("All categories", catalog.names((row) => (row.category ? { [row.category]: row.count } : {})), wanted.category), wanted.category ?? "", (category) => change({ category })),
  ];
}

function nothingMatches(change) {
  return h("div", { class: "empty" }, h("h3", {}, "No pattern matches"),
    h("p", {}, "Search looks for all words in the pattern, its sources and its category. Try fewer words, or a longer time."),
    h("p", {}, h("button", { type: "button", onclick: () => change({ q: "", level: "", source: "", category: "" }) }, "Show all patterns")));
}

/** The usual level, and a mark when some logs are more severe. */
function levels(row) {
  const some = row.worse && `${exact(row.levels[row.worse])} ${row.worse}`;
  return [levelBadge(row.level), some && h("i", { class: `dot some ${levelClass(row.worse)}`, title: some, role: "img", "aria-label": some })];
}

function columns(sparks) {
  return [
    { key: "pattern", title: "Pattern", sort: true, cell: (row) => h("a", { href: address("pattern", {}, row.pattern_id), tabindex: "-1", title: row.pattern }, patternText(row.pattern)) },
    { key: "count", title: "Count", sort: true, kind: "number", cell: (row) => h("b", { title: exact(row.count) }, compact(row.count)) },
    { key: "trend", title: "Over time", cell: (row) => sparks.cell(row) },
    { key: "level", title: "Level", sort: true, cell: levels },
    { key: "source", title: "Source", sort: true, cell: (row) => [row.source, row.otherSources > 0 && h("span", { class: "quiet" }, ` +${row.otherSources}`)] },
    { key: "category", title: "Category", sort: true, cell: (row) => row.category || h("span", { class: "quiet" }, "–") },
    { key: "first", title: "First seen", sort: true, cell: (row) => moment(row.first_seen) },
    { key: "last", title: "Last seen", sort: true, cell: (row) => moment(row.last_seen) },
  ];
}

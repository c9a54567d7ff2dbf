// The page of all patterns: search, filters, sorting; what is chosen is in the address.

import { Failure, offers } from "./api.js";
import { Catalog, MOST } from "./catalog.js";
import { columns, filterSelects } from "./columns.js";
import { choice, h, replace, settled } from "./dom.js";
import { Grid } from "./grid.js";
import { noLogs, problem } from "./pieces.js";
import { adjust, go, here } from "./place.js";
import { parse, suggestions } from "./query.js";
import { pause, repeat } from "./refresh.js";
import { FORMS } from "./saving.js";
import { Sparks } from "./sparks.js";
import { t } from "./text.js";
import { asked } from "./times.js";

const EVERY = 30;
// A refresh may take this part of the time between two: a large list is asked for less often.
const GENTLE = 20;
const PAUSE = t("list.pause"), RESUME = t("list.resume");
const narrow = matchMedia("(max-width: 760px)");
/** Where the list was left, by its address: Back leads there. */
const left = new Map();
const LEFT = 20;

export async function showPatterns(main, { place, signal, again, fitted }) {
  const catalog = new Catalog(), sparks = new Sparks(signal);
  const count = h("span", { class: "quiet", role: "status", id: "count" }, t("word.loading"));
  const search = h("input", { type: "search", placeholder: t("list.hint"), "aria-label": t("list.search"), list: "terms", value: place.parameters.q ?? "", spellcheck: "false" });
  const terms = h("datalist", { id: "terms" });
  const selects = h("div", { class: "row" });
  const auto = h("button", { type: "button", title: t("list.terms", { n: EVERY }), onclick: () => toggle() }, PAUSE);
  const body = h("div", { class: "listing" });
  const grid = new Grid({
    label: t("page.patterns"), columns: columns(sparks), rowHeight: () => (narrow.matches ? 86 : 38),
    open: (row) => go("pattern", {}, row.pattern_id), sorted: (key) => sortBy(key), shown: (rows) => fitted.then(() => sparks.shown(rows), () => {}),
  });
  body.append(grid.element);
  const trouble = h("div");
  const exports = choice(t("list.export"), [["", t("list.export_as")], ...FORMS.map(([name, text]) => [name, text])], "", (wanted) => {
    FORMS.find(([name]) => name === wanted)?.[2](grid.rows);
    exports.value = "";
  });
  main.append(h("h1", { class: "hidden" }, t("page.patterns")), h("div", { class: "toolbar" }, search, terms, selects, auto, exports, count), trouble, body);

  let loads = 0, paused = false, stale = "", typing = false;
  const address = location.hash;
  signal.addEventListener("abort", () => {
    left.delete(address);
    left.set(address, { top: grid.element.scrollTop, id: grid.rows[grid.active]?.pattern_id });
    if (left.size > LEFT) left.delete(left.keys().next().value);
  });
  const filters = () => {
    const { q, level, source, category, sort = "count", reverse } = here().parameters;
    return { q, level, source, category, sort, reverse: reverse === "1" };
  };
  const draw = () => {
    const wanted = filters();
    // What the service has found matches, though the words stand in samples or values that are not here.
    const rows = catalog.matching(catalog.found ? { ...wanted, q: "" } : wanted);
    grid.set(rows, wanted.sort, wanted.reverse);
    count.textContent = summary(rows.length, catalog) + stale;
    const empty = catalog.complete && !rows.length;
    grid.element.hidden = empty;
    body.querySelector(".empty")?.remove();
    if (empty) body.append(catalog.rows.length || beyond(wanted) ? nothingMatches(change) : noLogs(t("list.none")));
  };
  const refine = settled(() => load(), 300, signal);
  const change = (changes, how) => {
    adjust(changes, how);
    if ("q" in changes && search.value !== changes.q) search.value = changes.q;
    const { q } = filters();
    const ask = offers("GET /compare") && q && (parse(q).remote || (catalog.complete && !catalog.matching(filters()).length));
    // What is here is shown at once; what the service finds follows.
    if (catalog.asking || catalog.found || ask || (catalog.more && catalog.complete)) refine();
    if (!catalog.found && !parse(q).remote) draw();
    choices();
  };
  const sortBy = (key) => {
    const { sort, reverse } = filters();
    change({ sort: key === "count" ? "" : key, reverse: sort === key && !reverse ? "1" : "" });
  };
  const choices = () => {
    replace(selects, ...filterSelects(catalog, filters(), change));
    suggest();
  };
  const suggest = () => terms.replaceChildren(...suggestions(search.value, catalog).map((text) => h("option", { value: text })));
  search.addEventListener("input", suggest);
  const question = () => {
    // With more patterns than are kept here, or words that are not, the service searches.
    const { q, level, source, category } = filters();
    if (catalog.found) return { ...asked(), q };
    return { ...asked(), ...(catalog.asking ? { q, level: level === "errors" ? "" : level, source, category } : {}) };
  };
  const load = async () => {
    const { q } = filters();
    // The search syntax with values and samples comes with the service that compares.
    catalog.found = Boolean(q && offers("GET /compare") && (parse(q).remote || (catalog.complete && !catalog.matching(filters()).length)));
    catalog.asking = catalog.more;
    loads += 1;
    try {
      let due = 0;
      await catalog.load(question(), signal, () => {
        if (performance.now() < due && !catalog.complete) return;
        draw();
        due = performance.now() + 250;
      });
      // An address with words that stand only in samples or values, such as a request id: the service finds them.
      if (q && offers("GET /compare") && !catalog.found && !catalog.matching(filters()).length) return load();
      trouble.replaceChildren();
      body.hidden = false;
      choices();
      recall();
    } catch (error) {
      if (signal.aborted) return;
      count.textContent = t("list.not_loaded");
      const wrong = error instanceof Failure && error.status === 422;
      body.hidden = !wrong;
      trouble.replaceChildren(wrong ? h("p", { class: "bad", role: "alert" }, error.message) : problem(error, again));
    }
  };
  const recall = () => {
    const known = left.get(address);
    if (!known) return;
    left.delete(address);
    grid.element.scrollTop = known.top;
    grid.active = grid.rows.findIndex((row) => row.pattern_id === known.id);
    grid.draw();
  };
  // A word is one step of the history, not each of its letters.
  search.addEventListener("input", settled(() => { change({ q: search.value.trim() }, { typed: typing }); typing = true; }, 60, signal));
  search.addEventListener("blur", () => { typing = false; });
  search.addEventListener("keydown", (event) => {
    // Where words are suggested the arrow chooses one of them.
    if (event.key !== "Enter" && (event.key !== "ArrowDown" || terms.childElementCount)) return;
    event.preventDefault();
    grid.element.focus();
    if (grid.active < 0) grid.key({ key: "ArrowDown", target: grid.element });
  });
  const refresh = async () => {
    // The first page never came: begin anew.
    if (!catalog.complete) {
      await load();
      return EVERY;
    }
    // Nobody loses the text that is being marked, or an open choice.
    if (paused || String(getSelection())) return EVERY;
    const before = loads, start = performance.now();
    const found = new Catalog();
    found.found = catalog.found;
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
    stale = error.status === 0 ? "" : t("api.stale", { why: error.message });
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
  const shown = matching === all ? t("list.all", { n: all }) : t("list.some", { some: matching, n: all });
  if (!catalog.complete) return t("list.loading", { shown });
  return catalog.more ? t("list.more", { shown, most: MOST }) : shown;
}

function nothingMatches(change) {
  const code = (text) => h("code", {}, text);
  return h("div", { class: "empty" }, h("h3", {}, t("list.no_match")),
    h("p", {}, t("list.syntax", { phrase: code(t("list.a_phrase")), not: code(t("list.a_not")), level: code("level:error"), source: code("source:shop"), category: code("category:…"), id: code("id:…") })),
    h("p", {}, h("button", { type: "button", onclick: () => change({ q: "", level: "", source: "", category: "" }) }, t("list.show_all"))));
}

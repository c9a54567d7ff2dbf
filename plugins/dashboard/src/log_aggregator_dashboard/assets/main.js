// The frame: head, pages, theme, and which page is shown when the address changes.

import { choice, h, replace } from "./dom.js";
import { help, listen } from "./keys.js";
import { problem } from "./pieces.js";
import { address, here } from "./place.js";
import { picker } from "./range.js";
import { showAnomalies } from "./anomalies.js";
import { showOverview } from "./overview.js";
import { showPattern } from "./pattern.js";
import { showPatterns } from "./patterns.js";
import { showTail } from "./tail.js";

const PAGES = {
  overview: { title: "Overview", show: showOverview, range: true },
  patterns: { title: "Patterns", show: showPatterns, range: true },
  anomalies: { title: "Anomalies", show: showAnomalies, range: true },
  tail: { title: "Live tail", show: showTail },
  pattern: { title: "Pattern", show: showPattern, range: true, within: "patterns" },
};
const THEME = "log-aggregator theme";
const main = document.getElementById("main");
let leaving = null;
let page = {};

/** Show what the address says. A page is a function of (main, {place, signal, again}); it may return {key}. */
async function show() {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const place = here();
  const kind = PAGES[place.page] ?? PAGES.overview;
  document.title = `${kind.title} · Log aggregator`;
  head(kind, place);
  main.className = `page-${place.page}`;
  replace(main);
  page = {};
  try {
    page = (await kind.show(main, { place, signal, again: () => signal.aborted || show() })) ?? {};
  } catch (error) {
    if (!signal.aborted) replace(main, problem(error, show));
    if (!("status" in error) && error.name !== "AbortError") throw error;
  }
}

function head(kind, place) {
  const links = Object.entries(PAGES).filter(([, { within }]) => !within).map(([name, { title }]) =>
    h("a", { href: address(name), "aria-current": (kind.within ?? place.page) === name ? "page" : null }, title));
  document.getElementById("nav").replaceChildren(...links);
  const theme = choice("Theme", [["", "Auto"], ["light", "Light"], ["dark", "Dark"]], kept(), (value) => {
    localStorage.setItem(THEME, value);
    dress();
  });
  replace(document.getElementById("tools"), ...[kind.range && picker(show), theme,
    h("button", { type: "button", "aria-label": "Keys", title: "Keys (?)", onclick: help }, "?")].filter(Boolean));
}

function kept() {
  try {
    return localStorage.getItem(THEME) ?? "";
  } catch {
    return "";
  }
}

function dress() {
  document.documentElement.dataset.theme = kept();
}

dress();
listen((event) => page.key?.(event) ?? false);
document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", () => { scrollTo(0, 0); show(); });
show();

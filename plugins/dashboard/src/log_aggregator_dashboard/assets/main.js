// The frame: head, pages, and which page is shown when the address changes.

import { h, replace } from "./dom.js";
import { help, listen } from "./keys.js";
import { problem } from "./pieces.js";
import { address, here } from "./place.js";
import { pages } from "./places.js";
import { picker } from "./range.js";
import { dress } from "./settings.js";
import { t } from "./text.js";
import { fit } from "./times.js";
import { isUtc, setUtc, zoneName } from "./zone.js";
import { get, offers, origin } from "./api.js";

/** A page whose module is loaded once it is shown; the first one of a visit is on its way already, see `early.js`. */
function later(file, name) {
  return Object.assign(async (where, context) => {
    const module = await load(file);
    if (context.signal.aborted) return null;
    const shown = module[name](where, context);
    context.begun();
    return shown;
  }, { file });
}

async function load(file) {
  try {
    return await import(`./${file}.js`);
  } catch (error) {
    if (/module/i.test(error.message)) await get("health"); // the file did not come: an outage is told as everywhere
    throw error;
  }
}

/** Load the other pages while nothing else is to do: they open at once, and in an outage, too. */
function loadOthers() {
  const files = Object.values(PAGES).flatMap(({ show: { file } }) => (file ? [file] : []));
  const next = () => {
    const file = files.shift();
    if (file) load(file).then(() => idle(next), () => {});
  };
  idle(next);
}

const idle = (work) => (globalThis.requestIdleCallback ?? setTimeout)(work);

const PAGES = {
  overview: { title: t("page.overview"), show: later("overview", "showOverview"), range: true },
  patterns: { title: t("page.patterns"), show: later("patterns", "showPatterns"), range: true, early: true },
  anomalies: { title: t("page.anomalies"), show: later("anomalies", "showAnomalies"), range: true },
  ...(offers("GET /compare") ? { compare: { title: t("page.compare"), show: later("compare", "showCompare") } } : {}),
  ...(offers("GET /values") ? { values: { title: t("page.values"), show: later("values", "showValues"), range: true, within: "patterns" } } : {}),
  tail: { title: t("page.tail"), show: later("tail", "showTail") },
  ...pages(),
  pattern: { title: t("page.pattern"), show: later("pattern", "showPattern"), range: true, within: "patterns" },
  incident: { title: t("page.incident"), show: later("incident", "showIncident"), within: "anomalies" },
};
const UNKNOWN = { title: t("frame.missing"), show: showUnknown };
const main = document.getElementById("main");
let leaving = null;
let page = {};

/** Show what the address says. A page is a function of (main, {place, signal, again}); it may return {key}. */
async function show() {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const place = here();
  const kind = Object.hasOwn(PAGES, place.page) ? PAGES[place.page] : UNKNOWN;
  document.title = t("frame.title", { page: kind.title });
  head(kind, place);
  main.className = `page-${place.page}`;
  replace(main);
  page = {};
  let fitted = Promise.resolve(), begun = () => {};
  try {
    const fitting = () => fit(signal).then(() => { if (!signal.aborted) head(kind, place); });
    if (kind.early) {
      // All logs of the last day lie in the range that fits: a page that asks for the last day need not wait.
      fitted = new Promise((resolve) => { begun = resolve; }).then(fitting);
      fitted.catch(() => {});
    } else if (kind.range) {
      await fitting();
    }
    const shown = (await kind.show(main, { place, signal, fitted, begun, again: () => signal.aborted || show() })) ?? {};
    if (!signal.aborted) page = shown;
  } catch (error) {
    if (!signal.aborted) replace(main, problem(error, show));
    if (!("status" in error) && error.name !== "AbortError") throw error;
  }
}

function head(kind, place) {
  const links = Object.entries(PAGES).filter(([, { within }]) => !within).map(([name, { title }]) =>
    h("a", { href: address(name), "aria-current": (kind.within ?? place.page) === name ? "page" : null }, title));
  document.getElementById("nav").replaceChildren(...links);
  const other = isUtc() ? t("frame.local") : "UTC";
  replace(document.getElementById("tools"), ...[kind.range && picker(show),
    offers("GET /help") && h("a", { href: `${origin()}/help` }, t("frame.docs")),
    h("button", { type: "button", class: "zone", "aria-label": t("frame.zone", { zone: zoneName(), other }), title: t("frame.zone", { zone: zoneName(), other }),
      onclick: () => { setUtc(!isUtc()); show(); } }, zoneName()),
    h("button", { type: "button", "aria-label": t("frame.keys"), title: t("frame.help"), onclick: help }, "?")].filter(Boolean));
}

function showUnknown(where, { place }) {
  where.append(h("div", { class: "empty" }, h("h1", {}, t("frame.missing")), h("p", {}, t("frame.missing_why", { page: h("code", {}, place.page) })),
    h("p", {}, h("a", { href: address("overview") }, t("page.overview")), " · ", h("a", { href: address("patterns") }, t("page.patterns")))));
}

dress();
listen((event) => page.key?.(event) ?? false);
document.getElementById("skip").textContent = t("frame.skip");
document.getElementById("nav").setAttribute("aria-label", t("frame.pages"));
document.querySelector(".brand").setAttribute("aria-label", t("product"));
document.querySelector(".brand span").textContent = t("product");
document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", () => { scrollTo(0, 0); show(); });
addEventListener("settings", show);
// What could not be shown during an outage is shown once the service is back.
addEventListener("back", () => { if (main.querySelector(".problem")) show(); });
show().finally(() => setTimeout(loadOthers, 1000));

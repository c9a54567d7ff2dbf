// Places that other plugins fill, with modules of their packages: pages, panels of the overview and of a pattern.

import { get, setting } from "./api.js";
import { timeChart } from "./chart.js";
import { h, replace, s } from "./dom.js";
import { LEVELS, ago, compact, exact, percent, when } from "./format.js";
import { patternText, problem } from "./pieces.js";
import { address } from "./place.js";
import { pick } from "./range.js";
import { ranking } from "./ranking.js";
import { repeat } from "./refresh.js";
import { t } from "./text.js";
import { asked, span, step } from "./times.js";

const PLACES = JSON.parse(setting("places") || "[]");

/** What `show(where, helpers)` of a plugin's module gets, beside `signal`, `again` and, on a pattern, `pattern`. */
function helpers(context) {
  return {
    ...context, h, svg: s, replace, address, patternText, exact, compact, percent, when, ago, asked, span, step,
    get: (path, parameters = {}) => get(path, parameters, context.signal),
    repeat: (work, seconds, failed) => repeat(work, seconds, context.signal, failed),
    ranking: (rows, label) => ranking(rows, () => "level-info", label),
    chart: (answer, title) => {
      const others = answer.series.map(({ name }) => name).filter((name) => !LEVELS.includes(name));
      return timeChart(answer, { names: [...[...LEVELS].reverse(), ...others], title, chosen: (start, end) => pick(start, end, context.again) });
    },
  };
}

/** The pages of plugins, as the frame has its own. */
export function pages() {
  return Object.fromEntries(of("page").map((place) => [`plugin-${place.plugin}`, {
    title: place.title, range: true, show: async (main, context) => {
      const where = h("div", { class: "place" });
      main.append(h("h1", {}, place.title), where);
      await fill(place, where, context);
    },
  }]));
}

/** The panels of plugins on a page. One that fails says so itself. */
export function panels(kind, context) {
  return of(kind).map((place) => {
    const body = h("div", { class: "body place" });
    fill(place, body, context);
    return h("section", { class: `panel ${place.wide ? "wide" : ""}`, "aria-label": place.title }, h("h2", {}, place.title), body);
  });
}

const of = (kind) => PLACES.filter((one) => one.place === kind);

async function fill(place, where, context) {
  replace(where, h("p", { class: "quiet" }, t("word.loading")));
  try {
    const { show } = await import(new URL(place.module, document.baseURI).href);
    if (context.signal.aborted) return;
    replace(where);
    await show(where, helpers(context));
  } catch (error) {
    if (context.signal.aborted) return;
    replace(where, problem(error, context.again), h("p", { class: "quiet" }, t("page.plugin", { plugin: place.plugin })));
  }
}

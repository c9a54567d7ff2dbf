// Places that other plugins fill, with modules of their packages: pages, panels of the overview and of a pattern.

import { setting } from "./api.js";
import { h, replace } from "./dom.js";
import { problem } from "./pieces.js";
import { t } from "./text.js";

const PLACES = JSON.parse(setting("places") || "[]");

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
    const [{ show }, { helpers }] = await Promise.all([import(new URL(place.module, document.baseURI).href), import("./place_helpers.js")]);
    if (context.signal.aborted) return;
    replace(where);
    await show(where, helpers(context));
  } catch (error) {
    if (context.signal.aborted) return;
    replace(where, problem(error, context.again), h("p", { class: "quiet" }, t("page.plugin", { plugin: place.plugin })));
  }
}

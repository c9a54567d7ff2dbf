// What a reader chooses for this browser: colors, and how times are written.

import { choice, h } from "./dom.js";
import { isExact, isUtc, setExact, setUtc } from "./zone.js";

const THEME = "log-aggregator theme";

function kept() {
  try {
    return localStorage.getItem(THEME) ?? "";
  } catch {
    return "";
  }
}

/** Put the chosen colors on. */
export function dress() {
  document.documentElement.dataset.theme = kept();
}

const changed = () => dispatchEvent(new Event("settings"));

/** The controls; a change fires the event `settings` at the window. */
export function settings() {
  return h("section", { "aria-label": "Settings" }, h("h2", {}, "Settings"), h("div", { class: "row" },
    choice("Theme", [["", "Auto"], ["light", "Light"], ["dark", "Dark"]], kept(), (value) => { localStorage.setItem(THEME, value); dress(); }),
    choice("Time zone", [["", "Local time"], ["utc", "UTC"]], isUtc() ? "utc" : "", (value) => { setUtc(value === "utc"); changed(); }),
    choice("Times", [["", "How long ago"], ["exact", "Exact times"]], isExact() ? "exact" : "", (value) => { setExact(value === "exact"); changed(); })));
}

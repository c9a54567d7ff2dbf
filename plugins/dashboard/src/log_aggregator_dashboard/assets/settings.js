// What a reader chooses for this browser: colors, language, and how times are written.

import { choice, h } from "./dom.js";
import { LANGUAGES, chooseLanguage, chosenLanguage, t } from "./text.js";
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

/** A select with its label beside it. */
function labelled(label, options, value, onchange) {
  return [h("span", { "aria-hidden": "true" }, label), choice(label, options, value, onchange)];
}

const changed = () => dispatchEvent(new Event("settings"));

/** The controls; a change fires the event `settings` at the window. */
export function settings() {
  return h("section", { "aria-label": t("settings.title") }, h("h2", {}, t("settings.title")), h("div", { class: "settings" },
    labelled(t("settings.theme"), [["", t("settings.auto")], ["light", t("settings.light")], ["dark", t("settings.dark")]], kept(), (value) => { localStorage.setItem(THEME, value); dress(); }),
    labelled(t("settings.zone"), [["", t("settings.local")], ["utc", "UTC"]], isUtc() ? "utc" : "", (value) => { setUtc(value === "utc"); changed(); }),
    labelled(t("settings.times"), [["", t("settings.ago")], ["exact", t("settings.exact")]], isExact() ? "exact" : "", (value) => { setExact(value === "exact"); changed(); }),
    labelled(t("settings.language"), [["", t("settings.browser")], ...Object.entries(LANGUAGES)], chosenLanguage(), chooseLanguage)));
}

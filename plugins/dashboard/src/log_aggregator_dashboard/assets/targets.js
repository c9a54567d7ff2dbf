// Who is told of anomalies: each target, what was delivered, what failed, and a test.

import { get, send } from "./api.js";
import { h } from "./dom.js";
import { exact } from "./format.js";
import { repeat } from "./refresh.js";
import { t } from "./text.js";

const EVERY = 30;

/** The panel of targets; it is empty until the service has told of some. `watched` is called when it has `trends`. */
export function targetsPanel(signal, watched = () => {}) {
  const box = h("section", { class: "panel targets", "aria-label": t("targets.title"), hidden: true });
  const tested = h("div", { role: "status" });
  repeat(async () => {
    const { plugins } = await get("stats", {}, signal);
    const trends = plugins?.trends;
    box.hidden = !trends;
    if (trends) watched();
    if (!trends || box.contains(document.activeElement)) return;
    const rows = Object.entries(trends.figures?.targets ?? {});
    box.replaceChildren(h("div", { class: "row spread" }, h("h2", {}, t("targets.title")), rows.length > 0 && testButton(tested)),
      rows.length ? table(rows) : h("p", { class: "warn" }, t("targets.none", { section: h("code", {}, "[[plugins.trends.targets]]") })), tested);
  }, EVERY, signal, () => {});
  return box;
}

function table(rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("targets.list") }, h("table", {},
    h("thead", {}, h("tr", {}, ["target", "sent", "waiting", "failed", "error"].map((name, index) => h("th", { scope: "col", class: index % 4 ? "number" : "" }, t(`targets.${name}`))))),
    h("tbody", {}, rows.map(([name, one]) => h("tr", {}, h("th", { scope: "row" }, name), [one.sent, one.waiting].map((count) => h("td", { class: "number" }, exact(count ?? 0))),
      h("td", { class: `number ${one.failed || one.dropped ? "bad" : ""}` }, exact((one.failed ?? 0) + (one.dropped ?? 0))), h("td", {}, one.last_error ?? "–"))))));
}

function testButton(tested) {
  const button = h("button", { type: "button", onclick: async () => {
    button.disabled = true;
    tested.replaceChildren(h("p", { class: "quiet" }, t("targets.sending")));
    try {
      const { targets } = await send("POST", "notify-test", {});
      tested.replaceChildren(h("ul", { class: "plain" }, targets.map(({ name, ok, error }) => h("li", { class: ok ? "good" : "bad" }, ok ? t("targets.delivered", { name }) : `${name}: ${error}`))));
    } catch (error) {
      tested.replaceChildren(h("p", { class: "bad" }, error.message));
    }
    button.disabled = false;
  } }, t("targets.test"));
  return button;
}

// The page of anomalies: what was unusual in the time range, whether it is watched, and who is told.

import { Failure, get } from "./api.js";
import { choice, h } from "./dom.js";
import { anomalyList } from "./incidents.js";
import { problem } from "./pieces.js";
import { adjust } from "./place.js";
import { renewed, repeat } from "./refresh.js";
import { rulesPanel } from "./rules.js";
import { targetsPanel } from "./targets.js";
import { t } from "./text.js";
import { asked } from "./times.js";
import { verdict } from "./verdict.js";

const MOST = 500;

export function showAnomalies(main, { place, signal }) {
  const { state = "", tier = "", source = "" } = place.parameters;
  const wanted = { state, tier, source };
  const renew = renewed(signal), rules = rulesPanel(signal);
  const count = h("span", { class: "quiet", role: "status" }, t("word.loading"));
  const body = h("div", { class: "panel" });
  const change = (changes) => {
    Object.assign(wanted, changes);
    adjust(changes);
    load();
  };
  const only = source && h("button", { type: "button", onclick: () => { only.remove(); change({ source: "" }); } }, t("anomalies.source", { name: source }));
  main.append(h("h1", { class: "hidden" }, t("page.anomalies")), h("div", { class: "toolbar" },
    choice(t("anomalies.state"), [["", t("anomalies.both")], ["open", t("anomalies.open")], ["resolved", t("anomalies.over")]], state, (value) => change({ state: value })),
    choice(t("anomalies.tier"), [["", t("anomalies.all_tiers")], ["notify", t("anomalies.notify")], ["recorded", t("anomalies.recorded")]], tier, (value) => change({ tier: value })),
    only, count), body, targetsPanel(signal, rules.load), rules.element);
  const load = () => {
    const current = renew();
    let shown = "";
    count.textContent = t("word.loading");
    repeat(async () => {
      const { anomalies, learning } = await get("anomalies", { ...asked(), ...wanted, limit: MOST }, current);
      count.textContent = anomalies.length < MOST ? t("anomalies.count", { n: anomalies.length }) : t("anomalies.newest", { n: MOST });
      body.replaceChildren(...[learning && verdict({ found: anomalies, learning, watched: true }), anomalies.length ? anomalyList(anomalies) : nothing()].filter(Boolean));
      shown = count.textContent;
    }, 30, current, (error) => {
      const away = error instanceof Failure && error.status === 0;
      count.textContent = shown ? shown + (away ? "" : t("api.stale", { why: error.message })) : "";
      if (!shown) body.replaceChildren(problem(error, load));
    });
  };
  load();
}

function nothing() {
  return h("div", { class: "empty" }, h("h3", {}, t("anomalies.none")),
    h("p", {}, t("anomalies.none_why", { plugin: h("code", {}, "trends") })));
}

// The page of anomalies: what was unusual in the time range, whether it is watched, and who is told.

import { Failure, get } from "./api.js";
import { choice, h } from "./dom.js";
import { exact } from "./format.js";
import { anomalyList } from "./incidents.js";
import { problem } from "./pieces.js";
import { adjust } from "./place.js";
import { renewed, repeat } from "./refresh.js";
import { rulesPanel } from "./rules.js";
import { targetsPanel } from "./targets.js";
import { asked } from "./times.js";
import { verdict } from "./verdict.js";

const MOST = 500;

export function showAnomalies(main, { place, signal }) {
  const { state = "", tier = "", source = "" } = place.parameters;
  const wanted = { state, tier, source };
  const renew = renewed(signal), rules = rulesPanel(signal);
  const count = h("span", { class: "quiet", role: "status" }, "Loading…");
  const body = h("div", { class: "panel" });
  const change = (changes) => {
    Object.assign(wanted, changes);
    adjust(changes);
    load();
  };
  const only = source && h("button", { type: "button", onclick: () => { only.remove(); change({ source: "" }); } }, `Source: ${source} ✕`);
  main.append(h("h1", { class: "hidden" }, "Anomalies"), h("div", { class: "toolbar" },
    choice("State", [["", "Open and over"], ["open", "Open"], ["resolved", "Over"]], state, (value) => change({ state: value })),
    choice("Tier", [["", "All tiers"], ["notify", "Notified"], ["recorded", "Recorded only"]], tier, (value) => change({ tier: value })),
    only, count), body, targetsPanel(signal, rules.load), rules.element);
  const load = () => {
    const current = renew();
    let shown = "";
    count.textContent = "Loading…";
    repeat(async () => {
      const { anomalies, learning } = await get("anomalies", { ...asked(), ...wanted, limit: MOST }, current);
      count.textContent = anomalies.length < MOST ? `${exact(anomalies.length)} ${anomalies.length === 1 ? "anomaly" : "anomalies"}` : `the newest ${exact(MOST)} anomalies`;
      body.replaceChildren(...[learning && verdict({ found: anomalies, learning, watched: true }), anomalies.length ? anomalyList(anomalies) : nothing()].filter(Boolean));
      shown = count.textContent;
    }, 30, current, (error) => {
      const away = error instanceof Failure && error.status === 0;
      count.textContent = shown ? `${shown}${away ? "" : ` · not refreshed: ${error.message}`}` : "";
      if (!shown) body.replaceChildren(problem(error, load));
    });
  };
  load();
}

function nothing() {
  return h("div", { class: "empty" }, h("h3", {}, "No anomalies in this time"),
    h("p", {}, "The plugin ", h("code", {}, "trends"), " finds spikes, drops, silence, more errors and new patterns. It must be in plugins.toml, and it first learns what is usual."));
}

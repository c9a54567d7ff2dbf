// The page of anomalies: what was unusual in the time range.

import { get } from "./api.js";
import { choice, h } from "./dom.js";
import { exact } from "./format.js";
import { anomalyList, problem } from "./pieces.js";
import { adjust } from "./place.js";
import { asked } from "./range.js";
import { renewed, repeat } from "./refresh.js";

const MOST = 500;

export function showAnomalies(main, { place, signal }) {
  const { state = "", tier = "", source = "" } = place.parameters;
  const wanted = { state, tier, source };
  const renew = renewed(signal);
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
    only, count), body);
  const load = () => {
    const current = renew();
    let shown = "";
    count.textContent = "Loading…";
    repeat(async () => {
      const { anomalies } = await get("anomalies", { ...asked(), ...wanted, limit: MOST }, current);
      count.textContent = anomalies.length < MOST ? `${exact(anomalies.length)} anomalies` : `the newest ${exact(MOST)} anomalies`;
      body.replaceChildren(anomalies.length ? anomalyList(anomalies) : nothing());
      shown = count.textContent;
    }, 30, current, (error) => {
      count.textContent = shown ? `${shown} · not refreshed: ${error.message}` : "";
      if (!shown) body.replaceChildren(problem(error, load));
    });
  };
  load();
}

function nothing() {
  return h("div", { class: "empty" }, h("h3", {}, "Nothing unusual in this time"),
    h("p", {}, "The plugin ", h("code", {}, "trends"), " finds spikes, drops, silence, more errors and new patterns. It must be in plugins.toml, and it first learns what is usual."));
}

// The page of anomalies: what was unusual in the time range.

import { get } from "./api.js";
import { choice, h } from "./dom.js";
import { exact } from "./format.js";
import { anomalyList, problem } from "./pieces.js";
import { adjust } from "./place.js";
import { asked } from "./range.js";
import { repeat } from "./refresh.js";

const MOST = 500;

export function showAnomalies(main, { place, signal, again }) {
  const { state = "", tier = "", source = "" } = place.parameters;
  const change = (changes) => { adjust(changes); again(); };
  const count = h("span", { class: "quiet", role: "status" }, "Loading…");
  const body = h("div", { class: "panel" });
  main.append(h("h1", { class: "hidden" }, "Anomalies"), h("div", { class: "toolbar" },
    choice("State", [["", "Open and over"], ["open", "Open"], ["resolved", "Over"]], state, (value) => change({ state: value })),
    choice("Tier", [["", "All tiers"], ["notify", "Notified"], ["recorded", "Recorded only"]], tier, (value) => change({ tier: value })),
    source && h("button", { type: "button", onclick: () => change({ source: "" }) }, `Source: ${source} ✕`), count), body);
  let shown = "";
  repeat(async () => {
    const { anomalies } = await get("anomalies", { ...asked(), state, tier, source, limit: MOST }, signal);
    count.textContent = anomalies.length < MOST ? `${exact(anomalies.length)} anomalies` : `the newest ${exact(MOST)} anomalies`;
    body.replaceChildren(anomalies.length ? anomalyList(anomalies) : nothing());
    shown = count.textContent;
  }, 30, signal, (error) => {
    if (shown) count.textContent = `${shown} · not refreshed: ${error.message}`;
    else body.replaceChildren(problem(error, again));
  });
}

function nothing() {
  return h("div", { class: "empty" }, h("h3", {}, "Nothing unusual in this time"),
    h("p", {}, "The plugin ", h("code", {}, "trends"), " finds spikes, drops, silence, more errors and new patterns. It must be in plugins.toml, and it first learns what is usual."));
}

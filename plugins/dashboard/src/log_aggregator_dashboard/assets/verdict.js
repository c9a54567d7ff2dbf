// What may be said of the present: unusual, usual, still learning, or not watched. Green only what is known.

import { h } from "./dom.js";
import { duration } from "./format.js";
import { moment } from "./pieces.js";

/** `found`: open anomalies. `learning`: of GET /anomalies; null: over, undefined: the service does not say.
 *  `watched`: whether the plugin that finds anomalies is on. */
export function verdict({ found, learning, watched }) {
  if (learning) {
    return h("div", { class: "learning" },
      h("p", { class: "warn" }, h("b", {}, "Learning what is usual"), `: ${duration(learning.seconds_left)} left. Until then only this is told:`),
      h("ul", { class: "plain" }, learning.alarms.map((text) => h("li", {}, text))),
      learning.started && h("p", { class: "quiet" }, "Started ", moment(learning.started), "."));
  }
  if (found.length) return "";
  if (!watched) return h("p", { class: "warn" }, "Nothing is watched: the plugin ", h("code", {}, "trends"), " is not in plugins.toml, so no anomaly is found.");
  if (learning === null) return h("p", { class: "good" }, "Nothing unusual is going on.");
  return h("p", { class: "quiet" }, "No anomaly is open. The service does not say whether it is still learning what is usual.");
}

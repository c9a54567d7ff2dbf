// What may be said of the present: unusual, usual, still learning, or not watched. Green only what is known.

import { h } from "./dom.js";
import { duration, percent } from "./format.js";
import { moment } from "./pieces.js";
import { t } from "./text.js";

/** `found`: open anomalies. `learning`: of GET /anomalies; null: over, undefined: the service does not say.
 *  `watched`: whether the plugin that finds anomalies is on. */
export function verdict({ found, learning, watched }) {
  if (learning) {
    return h("div", { class: "learning" },
      h("p", { class: "warn" }, h("b", {}, t("verdict.learning")), t("verdict.left", { span: duration(learning.seconds_left) })),
      h("ul", { class: "plain" }, told(learning).map((text) => h("li", {}, text))),
      learning.started && h("p", { class: "quiet" }, t("verdict.started", { when: moment(learning.started) })));
  }
  if (found.length) return "";
  if (!watched) return h("p", { class: "warn" }, t("verdict.unwatched", { plugin: h("code", {}, "trends") }));
  if (learning === null) return h("p", { class: "good" }, t("verdict.good"));
  return h("p", { class: "quiet" }, t("verdict.unknown"));
}

/** What is an alarm meanwhile: by the kinds that the service names, else in its own words. */
const told = ({ alarms, kinds = [], error_share: share }) => (kinds.length ? kinds.map((kind) => t(`early.${kind}`, { share: percent(share) })) : alarms);

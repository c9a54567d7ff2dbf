// Small parts that several pages show: patterns, levels, anomalies, what to do when there is nothing, what went wrong.

import { Failure, origin } from "./api.js";
import { h } from "./dom.js";
import { ago, levelClass, when } from "./format.js";
import { t } from "./text.js";
import { isExact, zoneName } from "./zone.js";

const PLACEHOLDER = /(\{[A-Z][A-Z0-9_]*\})/;

/** A pattern's text with its placeholders marked. */
export function patternText(text) {
  return text.split(PLACEHOLDER).map((piece, index) => (index % 2 ? h("mark", {}, piece) : piece));
}

export const levelBadge = (level) => h("span", { class: `badge ${levelClass(level)}` }, level);

/** A moment as "5 min ago", with the exact time on hovering; or as the exact time, as the settings say. */
export const moment = (value) => h("time", { datetime: value, title: `${when(value)} ${zoneName(Date.parse(value))}` }, isExact() ? when(value) : ago(Date.parse(value)));

/** What the service could not answer. While it is out of reach the banner says so, and the page comes back with it. */
export function problem(error, again) {
  if (error instanceof Failure && error.status === 0) return h("p", { class: "quiet problem" }, t("problem.waiting"));
  const store = error instanceof Failure && error.status === 503;
  return h("div", { class: "empty problem", role: "alert" },
    h("h3", {}, t(store ? "problem.store" : "problem.title")), h("p", {}, error.message),
    again && h("p", {}, h("button", { type: "button", onclick: again }, t("problem.again"))));
}

/** What to do when no log has come yet; `note` says when it will be seen. */
export function noLogs(lead, note = t("none.note")) {
  const body = '{"message": "User 123 logged in", "level": "INFO", "source": "auth"}';
  const command = `curl -X POST ${origin()}/ingest -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  return h("div", { class: "empty" }, h("h3", {}, lead), h("p", {}, t("none.send")), copyable(command),
    h("p", {}, t("none.demo")), copyable(`log-aggregator demo --url ${origin()}`),
    h("p", { class: "quiet" }, note));
}

/** A command with a button that copies it. */
export function copyable(text) {
  const button = h("button", { type: "button", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t("word.copied");
    } catch {
      button.textContent = t("word.not_copied");
    }
  } }, t("word.copy"));
  return h("div", { class: "copyable" }, h("pre", { tabindex: "0" }, text), button);
}

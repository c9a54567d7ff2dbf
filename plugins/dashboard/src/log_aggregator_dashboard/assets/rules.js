// Rules by hand: which there are, a new one, and what it would have told of the last week.

import { get, send } from "./api.js";
import { choice, h } from "./dom.js";
import { exact } from "./format.js";
import { moment } from "./pieces.js";

const TIMES = [["5m", "5 minutes"], ["15m", "15 minutes"], ["30m", "30 minutes"], ["1h", "an hour"], ["6h", "6 hours"], ["24h", "24 hours"]];

/** The panel of rules. It is empty until `load` is called: a service without `trends` has none. */
export function rulesPanel(signal) {
  const list = h("div"), told = h("div", { role: "status" });
  const box = h("section", { class: "panel targets", "aria-label": "Rules", hidden: true }, h("h2", {}, "Rules"), list, form(() => load(), told, signal), told);
  let loaded = false;
  const load = async () => {
    loaded = true;
    try {
      const { rules } = await get("rules", {}, signal);
      list.replaceChildren(rules.length ? table(rules, load, told, signal) : h("p", { class: "quiet" }, "No rule yet. A rule raises an alarm when a search finds more logs than you say, or none."));
      box.hidden = false;
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(h("p", { class: "bad" }, error.message));
    }
  };
  return { element: box, load: () => loaded || load() };
}

/** When a rule holds, as a sentence. */
function condition({ more_than, within, none_for }) {
  if (none_for) return `no log for ${none_for}`;
  return more_than ? `more than ${exact(more_than)} in ${within}` : "any log";
}

function table(rules, again, told, signal) {
  const remove = async (rule) => {
    try {
      await send("DELETE", `rules/${rule.id}`, undefined, signal);
      told.replaceChildren(h("p", { class: "quiet" }, `“${rule.name}” is deleted.`));
      again();
    } catch (error) {
      if (!signal.aborted) told.replaceChildren(h("p", { class: "bad" }, error.message));
    }
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "All rules" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Rule", "Search", "Alarm at", "From", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "hidden" }, "Delete"))))),
    h("tbody", {}, rules.map((rule) => h("tr", {}, h("th", { scope: "row" }, rule.name), h("td", {}, h("code", {}, rule.search || "all logs")), h("td", {}, condition(rule)),
      h("td", {}, rule.from === "page" ? [rule.by || "somebody", ", ", moment(rule.at)] : "plugins.toml"),
      h("td", {}, rule.from === "page" && h("button", { type: "button", "aria-label": `Delete ${rule.name}`, onclick: () => remove(rule) }, "Delete")))))));
}

function form(again, told, signal) {
  const search = h("input", { type: "search", "aria-label": "Search of the rule", placeholder: "level:error source:payment", spellcheck: "false" });
  const name = h("input", { type: "text", "aria-label": "Name of the rule", placeholder: "Name, else the search", maxlength: 200 });
  const limit = h("input", { type: "number", "aria-label": "More than so many logs", min: 0, step: 1, value: 0, required: true });
  const within = choice("Within", TIMES, "5m", () => {});
  const kind = choice("Alarm when", [["more", "More logs than"], ["none", "No log for"]], "more", () => { limit.hidden = kind.value === "none"; });
  const rule = () => ({ search: search.value.trim(), ...(name.value.trim() ? { name: name.value.trim() } : {}),
    ...(kind.value === "none" ? { none_for: within.value } : { more_than: Number(limit.value), within: within.value }) });
  const attempt = async (work) => {
    try {
      told.replaceChildren(await work());
    } catch (error) {
      if (!signal.aborted) told.replaceChildren(h("p", { class: "bad", role: "alert" }, error.message));
    }
  };
  const test = () => attempt(async () => {
    told.replaceChildren(h("p", { class: "quiet" }, "Looking at the last week…"));
    return h("p", {}, past(await send("POST", "rules/test", rule(), signal)));
  });
  const add = () => attempt(async () => {
    const made = await send("POST", "rules", rule(), signal);
    search.value = name.value = "";
    again();
    return h("p", { class: "good" }, `“${made.name}” is watched from now on.`);
  });
  return h("form", { class: "row", "aria-label": "A new rule", onsubmit: (event) => { event.preventDefault(); add(); } },
    search, kind, limit, within, name, h("button", { type: "button", onclick: () => test() }, "Try on the last week"), h("button", { class: "main" }, "Add"));
}

/** What the look at the past found, as a sentence. */
function past({ alarms, logs, newest }) {
  if (!alarms) return `It would have told you nothing in the last week; the search finds ${exact(logs)} logs.`;
  return [`It would have told you ${alarms === 1 ? "once" : `${exact(alarms)} times`} in the last week, last `, moment(newest[0]), ` (${exact(logs)} logs).`];
}

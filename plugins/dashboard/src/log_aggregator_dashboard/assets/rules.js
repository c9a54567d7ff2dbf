// Rules by hand: which there are, a new one, and what it would have told of the last week.

import { get, send } from "./api.js";
import { choice, h } from "./dom.js";
import { moment } from "./pieces.js";
import { t } from "./text.js";

const TIMES = [["5m", t("rules.m5")], ["15m", t("rules.m15")], ["30m", t("rules.m30")], ["1h", t("rules.h1")], ["6h", t("rules.h6")], ["24h", t("rules.h24")]];

/** The panel of rules. It is empty until `load` is called: a service without `trends` has none. */
export function rulesPanel(signal) {
  const list = h("div"), told = h("div", { role: "status" });
  const box = h("section", { class: "panel targets", "aria-label": t("rules.title"), hidden: true }, h("h2", {}, t("rules.title")), list, form(() => load(), told, signal), told);
  let loaded = false;
  const load = async () => {
    loaded = true;
    try {
      const { rules } = await get("rules", {}, signal);
      list.replaceChildren(rules.length ? table(rules, load, told, signal) : h("p", { class: "quiet" }, t("rules.none")));
      box.hidden = false;
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(h("p", { class: "bad" }, error.message));
    }
  };
  return { element: box, load: () => loaded || load() };
}

/** When a rule holds, as a sentence. */
function condition({ more_than, within, none_for }) {
  if (none_for) return t("rules.no_log", { span: none_for });
  return more_than ? t("rules.more", { n: more_than, span: within }) : t("rules.any");
}

function table(rules, again, told, signal) {
  const remove = async (rule) => {
    try {
      await send("DELETE", `rules/${rule.id}`, undefined, signal);
      told.replaceChildren(h("p", { class: "quiet" }, t("rules.deleted", { name: rule.name })));
      again();
    } catch (error) {
      if (!signal.aborted) told.replaceChildren(h("p", { class: "bad" }, error.message));
    }
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("rules.all") }, h("table", {},
    h("thead", {}, h("tr", {}, [t("rules.rule"), t("word.search"), t("rules.at"), t("rules.from"), h("span", { class: "hidden" }, t("rules.delete"))].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rules.map((rule) => h("tr", {}, h("th", { scope: "row" }, rule.name), h("td", {}, h("code", {}, rule.search || t("word.all_logs"))), h("td", {}, condition(rule)),
      h("td", {}, rule.from === "page" ? [rule.by || t("word.somebody"), ", ", moment(rule.at)] : "plugins.toml"),
      h("td", {}, rule.from === "page" && h("button", { type: "button", "aria-label": t("rules.delete_one", { name: rule.name }), onclick: () => remove(rule) }, t("rules.delete"))))))));
}

function form(again, told, signal) {
  const search = h("input", { type: "search", "aria-label": t("rules.search"), placeholder: "level:error source:payment", spellcheck: "false" });
  const name = h("input", { type: "text", "aria-label": t("rules.name"), placeholder: t("rules.name_hint"), maxlength: 200 });
  const limit = h("input", { type: "number", "aria-label": t("rules.limit"), min: 0, step: 1, value: 0, required: true });
  const within = choice(t("rules.within"), TIMES, "5m", () => {});
  const kind = choice(t("rules.when"), [["more", t("rules.more_than")], ["none", t("rules.none_for")]], "more", () => { limit.hidden = kind.value === "none"; });
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
    told.replaceChildren(h("p", { class: "quiet" }, t("rules.looking")));
    return h("p", {}, past(await send("POST", "rules/test", rule(), signal)));
  });
  const add = () => attempt(async () => {
    const made = await send("POST", "rules", rule(), signal);
    search.value = name.value = "";
    again();
    return h("p", { class: "good" }, t("rules.added", { name: made.name }));
  });
  return h("form", { class: "row", "aria-label": t("rules.form"), onsubmit: (event) => { event.preventDefault(); add(); } },
    search, kind, limit, within, name, h("button", { type: "button", onclick: () => test() }, t("rules.try")), h("button", { class: "main" }, t("rules.add")));
}

/** What the look at the past found, as a sentence. */
function past({ alarms, logs, newest }) {
  if (!alarms) return t("rules.nothing", { logs });
  return t("rules.past", { n: alarms, when: moment(newest[0]), logs });
}

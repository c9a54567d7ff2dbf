// What people decided about a pattern: acknowledged, muted, resolved, its name, owner and note.

import { get, offers, send } from "./api.js";
import { choice, h } from "./dom.js";
import { moment, problem } from "./pieces.js";
import { t, textOr } from "./text.js";

const stateText = (state) => textOr(`triage.${state}`, state);
const MUTES = [["", t("triage.ever")], ["+1h", t("triage.hour")], ["+8h", t("triage.hours")], ["+1d", t("triage.day")], ["+7d", t("triage.week")],
  ["x3", t("triage.x3")], ["x10", t("triage.x10")]];

export const offersTriage = () => offers("POST /patterns/{id}/triage");

/** A badge for what is not open; nothing for the rest. */
export function triageBadge(triage) {
  if (!triage || triage.state === "open") return null;
  return h("span", { class: `triage state-${triage.state}` }, stateText(triage.state));
}

/** A sentence on the present state. */
function stated(triage) {
  const until = triage.muted_until ? t("triage.until", { when: moment(triage.muted_until) }) : triage.mute_times ? t("triage.times", { n: triage.mute_times }) : triage.state === "muted" ? t("triage.muted_ever") : "";
  return [h("b", {}, stateText(triage.state)), until, triage.changed_at && h("span", { class: "quiet" }, " · ", triage.changed_by || t("word.somebody"), ", ", moment(triage.changed_at))];
}

/** The panel of a pattern's triage; null where the service keeps none. */
export function triagePanel(pattern, signal) {
  if (!offersTriage()) return null;
  const box = h("div", { class: "triage-panel" }), told = h("p", { class: "quiet", role: "status" });
  const path = `patterns/${encodeURIComponent(pattern.pattern_id)}/triage`;
  const change = async (changes) => {
    try {
      draw(await send("POST", path, changes, signal));
      told.textContent = t("triage.saved");
    } catch (error) {
      if (!signal.aborted) told.textContent = error.message;
    }
  };
  const draw = (triage) => {
    const button = (state, text) => h("button", { type: "button", "aria-pressed": state === "open" ? null : triage.state === state, onclick: () => change({ state }) }, text);
    const mute = choice(t("triage.mute"), MUTES, "", () => {});
    const field = (name, label, kind = "input") => h(kind, { "aria-label": label, placeholder: label, value: triage[name] ?? "", maxlength: name === "note" ? 4000 : 200, rows: kind === "textarea" ? 2 : null });
    const [name, owner, note] = [field("name", t("triage.name")), field("owner", t("triage.owner")), field("note", t("triage.note"), "textarea")];
    box.replaceChildren(
      h("p", {}, stated(triage)),
      h("div", { class: "row" }, button("acknowledged", t("word.acknowledge")), button("resolved", t("triage.resolve")), triage.state !== "open" && button("open", t("triage.reopen")),
        h("span", { class: "row" }, h("button", { type: "button", "aria-pressed": triage.state === "muted", onclick: () => change({ state: "muted",
          ...(mute.value.startsWith("+") ? { mute_until: mute.value } : mute.value ? { mute_times: Number(mute.value.slice(1)) } : {}) }) }, t("triage.mute")), mute)),
      h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); change({ name: name.value, owner: owner.value, note: note.value }); } },
        name, owner, note, h("button", {}, t("word.save"))),
      triage.history?.length ? h("details", {}, h("summary", {}, t("triage.history")), h("ul", { class: "plain" }, triage.history.map(({ at, by, change: made }) =>
        h("li", {}, moment(at), ` ${by || t("word.somebody")}: `, Object.entries(made).map(([key, value]) => `${textOr(`triage.field.${key}`, key)} ${key === "state" ? stateText(value) : value ?? "–"}`).join(", "))))) : "", told);
  };
  get(path, {}, signal).then(draw, (error) => { if (!signal.aborted) box.replaceChildren(problem(error)); });
  return box;
}

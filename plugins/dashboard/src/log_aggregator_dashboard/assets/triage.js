// What people decided about a pattern: acknowledged, muted, resolved, its name, owner and note.

import { get, offers, send } from "./api.js";
import { choice, h } from "./dom.js";
import { moment, problem } from "./pieces.js";

const STATES = { open: "Open", acknowledged: "Acknowledged", muted: "Muted", resolved: "Resolved", returned: "Came back" };
const MUTES = [["", "for ever"], ["+1h", "for an hour"], ["+8h", "for 8 hours"], ["+1d", "for a day"], ["+7d", "for a week"],
  ["x3", "until it comes 3 times as often"], ["x10", "until it comes 10 times as often"]];

export const offersTriage = () => offers("POST /patterns/{id}/triage");

/** A badge for what is not open; nothing for the rest. */
export function triageBadge(triage) {
  if (!triage || triage.state === "open") return null;
  return h("span", { class: `triage state-${triage.state}` }, STATES[triage.state] ?? triage.state);
}

/** A sentence on the present state. */
function stated(triage) {
  const until = triage.muted_until ? [" until ", moment(triage.muted_until)] : triage.mute_times ? ` until it comes ${triage.mute_times} times as often` : triage.state === "muted" ? " for ever" : "";
  return [h("b", {}, STATES[triage.state] ?? triage.state), until, triage.changed_at && h("span", { class: "quiet" }, " · ", triage.changed_by || "somebody", ", ", moment(triage.changed_at))];
}

/** The panel of a pattern's triage; null where the service keeps none. */
export function triagePanel(pattern, signal) {
  if (!offersTriage()) return null;
  const box = h("div", { class: "triage-panel" }), told = h("p", { class: "quiet", role: "status" });
  const path = `patterns/${encodeURIComponent(pattern.pattern_id)}/triage`;
  const change = async (changes) => {
    try {
      draw(await send("POST", path, changes, signal));
      told.textContent = "Saved.";
    } catch (error) {
      if (!signal.aborted) told.textContent = error.message;
    }
  };
  const draw = (triage) => {
    const button = (state, text) => h("button", { type: "button", "aria-pressed": triage.state === state, onclick: () => change({ state }) }, text);
    const mute = choice("Mute", MUTES, "", () => {});
    const field = (name, label, kind = "input") => h(kind, { "aria-label": label, placeholder: label, value: triage[name] ?? "", maxlength: name === "note" ? 4000 : 200, rows: kind === "textarea" ? 2 : null });
    const [name, owner, note] = [field("name", "Name"), field("owner", "Owner"), field("note", "Note", "textarea")];
    box.replaceChildren(
      h("p", {}, stated(triage)),
      h("div", { class: "row" }, button("acknowledged", "Acknowledge"), button("resolved", "Resolve"), button("open", "Open again"),
        h("span", { class: "row" }, h("button", { type: "button", "aria-pressed": triage.state === "muted", onclick: () => change({ state: "muted",
          ...(mute.value.startsWith("+") ? { mute_until: mute.value } : mute.value ? { mute_times: Number(mute.value.slice(1)) } : {}) }) }, "Mute"), mute)),
      h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); change({ name: name.value, owner: owner.value, note: note.value }); } },
        name, owner, note, h("button", {}, "Save")),
      triage.history?.length ? h("details", {}, h("summary", {}, "Who changed what"), h("ul", { class: "plain" }, triage.history.map(({ at, by, change: made }) =>
        h("li", {}, moment(at), ` ${by || "somebody"}: `, Object.entries(made).map(([key, value]) => `${key} ${value ?? "–"}`).join(", "))))) : "", told);
  };
  get(path, {}, signal).then(draw, (error) => { if (!signal.aborted) box.replaceChildren(problem(error)); });
  return box;
}

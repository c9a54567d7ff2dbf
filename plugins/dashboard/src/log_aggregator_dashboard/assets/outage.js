// Whether the service answers: since when it does not, how old what is shown is, and asking again until it does.

import { h } from "./dom.js";
import { when } from "./format.js";
import { pause } from "./refresh.js";
import { t } from "./text.js";
import { zoneName } from "./zone.js";

const FIRST = 2, LONGEST = 15;
/** Paths that the store answers. */
const STORED = /^(patterns|series|anomalies|compare|triage|marks|dashboard\/sparks)/;
let outage = null, latest = null, hurry = () => {};

/** The service answered a call of this path. */
export function answered(path) {
  latest = Date.now();
  if (outage && (outage.kind === "away" || STORED.test(path))) end();
}

/** No answer of this kind ("away" or "store"). `probe` asks the same again. */
export function missing(kind, detail, probe) {
  if (outage && (outage.kind === kind || kind === "store")) return;
  outage?.ended.abort();
  outage = { kind, detail, since: Date.now(), asOf: latest, ended: new AbortController() };
  document.documentElement.dataset.away = kind;
  banner();
  again(probe, outage.ended.signal);
}

async function again(probe, signal) {
  for (let wait = FIRST; !signal.aborted; wait = Math.min(LONGEST, wait * 1.5)) {
    const early = new AbortController();
    hurry = () => early.abort();
    await pause(wait * 1000, AbortSignal.any([signal, early.signal]));
    if (signal.aborted || document.hidden) continue;
    try {
      await probe(signal);
    } catch {
      // The next attempt follows; the banner is there.
    }
  }
}

function end() {
  outage.ended.abort();
  outage = null;
  delete document.documentElement.dataset.away;
  document.getElementById("notice").replaceChildren();
  dispatchEvent(new Event("back"));
}

function banner() {
  const { kind, since, asOf, detail } = outage;
  document.getElementById("notice").replaceChildren(h("div", { class: "outage" },
    h("b", {}, t(`outage.${kind}`, { when: when(since), zone: zoneName(since) })),
    h("span", {}, asOf ? t("outage.as_of", { when: when(asOf).slice(11) }) : t("outage.nothing")),
    kind === "store" && h("span", {}, detail),
    h("span", {}, t("outage.trying")), h("button", { type: "button", onclick: () => hurry() }, t("outage.now"))));
}

// The API key: asked for once, kept in this tab only.

import { h } from "./dom.js";
import { t } from "./text.js";

const NAME = "log-aggregator key";
let asking = null;

export const keptKey = () => sessionStorage.getItem(NAME) ?? "";

export function forgetKey() {
  sessionStorage.removeItem(NAME);
}

/** Resolves when a person has given a key. Several askers share one dialog. */
export function askForKey(reason, signal) {
  asking ??= ask(reason).finally(() => { asking = null; });
  if (!signal) return asking;
  const gone = new Promise((_, reject) => {
    const leave = () => reject(new DOMException("left", "AbortError"));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
  });
  return Promise.race([asking, gone]);
}

function ask(reason) {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", id: "key", autocomplete: "off", required: true, spellcheck: "false", placeholder: "la.name.…" });
    const dialog = h("dialog", { "aria-labelledby": "key-title" },
      h("form", { method: "dialog" },
        h("h2", { id: "key-title" }, t("key.title")),
        h("p", {}, t("key.why", { scope: h("code", {}, "read") })),
        h("p", { class: "quiet" }, t("key.says", { reason })),
        h("label", { for: "key" }, t("key.field")), input,
        h("p", { class: "quiet" }, t("key.who")),
        h("button", { class: "main" }, t("key.use"))));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      const key = input.value.trim();
      if (key) sessionStorage.setItem(NAME, key);
      dialog.remove();
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

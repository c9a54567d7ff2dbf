// The API key: asked for once, kept in this tab only.

import { h } from "./dom.js";

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
        h("h2", { id: "key-title" }, "API key"),
        h("p", {}, "This service asks for a key with the scope ", h("code", {}, "read"), ". It stays in this tab."),
        h("p", { class: "quiet" }, `The service says: ${reason}`),
        h("label", { for: "key" }, "Key"), input,
        h("p", { class: "quiet" }, "Whoever runs the service makes keys; docs/reference/http.md, “API keys”, says how."),
        h("button", { class: "main" }, "Use this key")));
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

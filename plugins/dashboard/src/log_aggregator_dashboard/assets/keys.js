// The keyboard: which keys do what on every page.

import { h } from "./dom.js";
import { go } from "./place.js";
import { settings } from "./settings.js";
import { t } from "./text.js";

const PAGES = { o: "overview", p: "patterns", a: "anomalies", t: "tail", c: "compare" };
const HELP = [
  ["/", "search"], ["j k ↓ ↑", "move"], ["Enter", "open"], ["g o", "overview"], ["g p", "patterns"], ["g a", "anomalies"], ["g t", "tail"],
  ["g c", "compare"], ["← →", "chart"], ["Space", "pause"], ["?", "this"],
];
let waiting = false;

/** Listen for the keys of every page. A page's own keys are handled by `pageKey` (return true when used). */
export function listen(pageKey) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing?.type === "search") typing.blur();
    if (typing) return;
    if (pageKey(event) || shared(event)) event.preventDefault();
  });
}

function shared(event) {
  if (waiting) {
    waiting = false;
    if (!(event.key in PAGES)) return false;
    go(PAGES[event.key]);
    return true;
  }
  if (event.key === "g") {
    waiting = true;
    setTimeout(() => { waiting = false; }, 1200);
    return true;
  }
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    search?.focus();
    search?.select();
    return Boolean(search);
  }
  if (event.key === "?") {
    help();
    return true;
  }
  return false;
}

export function help() {
  if (document.querySelector("dialog[open]")) return;
  const dialog = h("dialog", { "aria-labelledby": "keys-title" },
    settings(),
    h("h2", { id: "keys-title" }, t("keys.title")),
    h("dl", { class: "keys" }, HELP.flatMap(([key, text]) => [h("dt", {}, key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, t(`keys.${text}`))])),
    h("form", { method: "dialog" }, h("button", { class: "main", autofocus: true }, t("word.close"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

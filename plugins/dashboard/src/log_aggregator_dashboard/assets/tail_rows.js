// The rows of the live tail, newest first: only those in view exist, and one may be unfolded.

import { h } from "./dom.js";
import { instant, levelClass, when } from "./format.js";
import { address } from "./place.js";
import { copyButton } from "./samples.js";
import { t } from "./text.js";

const BEYOND = 10;
/** Characters of a message in its row: more are never in view. */
const IN_VIEW = 500;
const narrow = matchMedia("(max-width: 760px)");

/** `words()`: the text to mark. `reading(yes)`: whether the newest row has been scrolled away, or a row is unfolded. */
export class TailRows {
  constructor({ words, reading }) {
    Object.assign(this, { words, reading, logs: [], unfolded: null, extra: 0 });
    this.list = h("ol", { class: "tailspace" });
    this.element = h("div", { class: "tail", tabindex: "0", role: "region", "aria-label": t("tail.list"),
      onscroll: () => { this.tell(); this.draw(); } }, this.list);
    new ResizeObserver(() => this.draw(true)).observe(this.element);
  }

  height() {
    return narrow.matches ? 44 : 24;
  }

  set(logs) {
    this.logs = logs;
    if (this.unfolded && !logs.includes(this.unfolded)) this.unfolded = null;
    // Several events within a frame are drawn once; a hidden tab draws nothing.
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw(true);
    });
  }

  tell() {
    this.reading(Boolean(this.unfolded) || this.element.scrollTop > this.height() / 2);
  }

  top() {
    this.unfolded = null;
    this.draw(true);
    this.element.scrollTop = 0;
  }

  /** Draw what is in view; `anew` when rows, not only the place, changed. */
  draw(anew = false) {
    const height = this.height(), open = this.unfolded ? this.logs.indexOf(this.unfolded) : -1;
    const at = (index) => index * height + (open >= 0 && index > open ? this.extra : 0);
    const above = this.element.scrollTop;
    const from = Math.max(0, Math.floor((above - (open >= 0 ? this.extra : 0)) / height) - BEYOND);
    const to = Math.min(this.logs.length, Math.ceil((above + (this.element.clientHeight || 600)) / height) + BEYOND);
    this.list.style.height = `${at(this.logs.length)}px`;
    if (!anew && from === this.from && to === this.to) return;
    [this.from, this.to] = [from, to];
    const focus = document.activeElement?.closest?.(".tail li")?.dataset.index;
    const made = [];
    for (let index = from; index < to; index += 1) {
      const row = this.row(this.logs[index], index, index === open);
      row.style.transform = `translateY(${at(index)}px)`;
      made.push(row);
    }
    this.list.replaceChildren(...made);
    if (focus !== undefined && this.element.isConnected) this.list.querySelector(`[data-index="${focus}"] button`)?.focus({ preventScroll: true });
    const detail = this.list.querySelector(".detail");
    const extra = detail ? detail.offsetHeight : 0;
    if (extra !== this.extra) {
      this.extra = extra;
      this.draw(true);
    }
  }

  row(log, index, open) {
    return h("li", { class: levelClass(log.level), "data-index": index },
      h("div", { class: "one", onclick: (event) => { if (!event.target.closest("a") && !String(getSelection())) this.toggle(log); } },
        h("button", { type: "button", class: "fold", "aria-expanded": String(open), "aria-label": t(open ? "tail.fold" : "tail.unfold") }, open ? "▾" : "▸"),
        h("time", { datetime: new Date(log.time).toISOString(), onmouseenter: (event) => { event.target.title = when(log.time); } }, instant(log.time)),
        h("span", { class: `badge ${levelClass(log.level)}` }, log.level),
        h("span", { class: "source" }, log.source),
        h("span", { class: "text" }, marked(inOneLine(log.message), this.words()))),
      open && detail(log, this.words()));
  }

  toggle(log) {
    this.unfolded = this.unfolded === log ? null : log;
    this.draw(true);
    this.tell();
  }

  key(event) {
    if (event.key !== "Home" || event.target.closest("a")) return false;
    this.top();
    return true;
  }
}

/** A message of several lines, such as a trace, has one line in the list. */
function inOneLine(message) {
  const text = message.length > IN_VIEW ? `${message.slice(0, IN_VIEW)}…` : message;
  return text.replace(/\s*[\r\n]+\s*/g, " ⏎ ");
}

function detail(log, words) {
  const metadata = Object.entries(log.metadata ?? {});
  return h("div", { class: "detail" },
    h("div", { class: "row" }, h("a", { href: address("pattern", { q: "", level: "", source: "" }, log.pattern_id) }, t("tail.pattern")), h("span", { class: "quiet" }, when(log.time)),
      log.category && h("span", { class: "quiet" }, log.category), copyButton(t("word.copy"), () => JSON.stringify(log))),
    h("pre", { tabindex: "0" }, marked(log.message, words)),
    metadata.length ? h("dl", { class: "meta" }, metadata.map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd", {}, copyButton(value, () => value))))) : h("p", { class: "quiet" }, t("tail.no_metadata")));
}

/** A text with the searched part marked wherever it stands. */
function marked(text, words) {
  if (!words) return text;
  const parts = [];
  const [low, part] = [text.toLowerCase(), words.toLowerCase()];
  if (low.length !== text.length) return text; // a character that changes its length: the places would not fit
  let from = 0;
  for (let at = low.indexOf(part); at >= 0; at = low.indexOf(part, from)) {
    parts.push(text.slice(from, at), h("mark", { class: "hit" }, text.slice(at, at + part.length)));
    from = at + part.length;
  }
  return [...parts, text.slice(from)];
}

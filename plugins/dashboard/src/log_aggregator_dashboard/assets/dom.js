// How elements are made: texts only ever become text nodes, never markup.

// Characters that turn the direction of what follows, or are not seen: a log could show its text backwards, or hide one.
const UNSEEN = /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const SVG = "http://www.w3.org/2000/svg";

/** A text with characters that are not seen by their numbers. */
function upright(text) {
  return String(text).replace(UNSEEN, (mark) => `⟨U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.startsWith("aria-") && typeof value === "boolean") {
      element.setAttribute(name, String(value));
      continue;
    }
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : name === "title" ? upright(value) : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : upright(child))));
  return element;
}

/** An HTML element; children are elements or texts. Attributes that are null, undefined or false are left out. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** A select whose options are [value, text] pairs. */
export function choice(label, options, value, onchange) {
  const select = h("select", { "aria-label": label, onchange: () => onchange(select.value) },
    options.map(([key, text]) => h("option", { value: key }, text)));
  select.value = value;
  return select;
}

/** Replace what a box holds. The labelled control that has the focus passes it to the new one with the same label. */
export function replace(box, ...content) {
  const label = box.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  // Chromium fires `change` when it removes a focused control that was edited. A handler would then run while this function runs.
  const stop = (event) => event.stopImmediatePropagation();
  for (const name of ["input", "change"]) box.addEventListener(name, stop, true);
  box.replaceChildren(...content);
  for (const name of ["input", "change"]) box.removeEventListener(name, stop, true);
  if (label) box.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
}

/** Call `work` once things have been quiet for `milliseconds`, unless `signal` has aborted by then. */
export function settled(work, milliseconds, signal) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (!signal.aborted) work(...given); }, milliseconds);
  };
}

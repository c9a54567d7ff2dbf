// Horizontal bars: which names have the most.

import { h } from "./dom.js";
import { compact } from "./format.js";

/** Rows of [name, count, address, text]; `color` gives a name its class, `text` replaces the count. */
export function ranking(rows, color, label) {
  const most = Math.max(1e-9, ...rows.map(([, count]) => count));
  return h("ul", { class: "ranking", "aria-label": label }, rows.map(([name, count, target, text]) => {
    const bar = h("span", { class: `fill ${color(name)}`, "aria-hidden": "true" });
    bar.style.width = `${(count / most) * 100}%`;
    return h("li", {}, bar, target ? h("a", { href: target }, name) : h("span", {}, name), h("b", {}, text ?? compact(count)));
  }));
}

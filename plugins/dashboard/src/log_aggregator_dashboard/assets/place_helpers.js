// What the modules of other plugins get from the page.

import { get } from "./api.js";
import { timeChart } from "./chart.js";
import { h, replace, s } from "./dom.js";
import { LEVELS, ago, compact, exact, percent, when } from "./format.js";
import { patternText } from "./pieces.js";
import { address } from "./place.js";
import { pick } from "./range.js";
import { ranking } from "./ranking.js";
import { repeat } from "./refresh.js";
import { asked, span, step } from "./times.js";

/** What `show(where, helpers)` of a plugin's module gets, beside `signal`, `again` and, on a pattern, `pattern`. */
export function helpers(context) {
  return {
    ...context, h, svg: s, replace, address, patternText, exact, compact, percent, when, ago, asked, span, step,
    get: (path, parameters = {}) => get(path, parameters, context.signal),
    repeat: (work, seconds, failed) => repeat(work, seconds, context.signal, failed),
    ranking: (rows, label) => ranking(rows, () => "level-info", label),
    chart: (answer, title) => {
      const others = answer.series.map(({ name }) => name).filter((name) => !LEVELS.includes(name));
      return timeChart(answer, { names: [...[...LEVELS].reverse(), ...others], title, chosen: (start, end) => pick(start, end, context.again) });
    },
  };
}

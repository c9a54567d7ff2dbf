// All patterns of the time range: loaded in pages, then searched, filtered and sorted here, without asking again.

import { offers, patternPages } from "./api.js";
import { ERRORS, LEVELS, byCount, worst } from "./format.js";
import { matches, parse } from "./query.js";

/** Patterns that are kept here. A service that finds samples and values searches beyond them, so fewer are loaded. */
export const MOST = offers("GET /compare") ? 1500 : 20000;
/** The pattern of logs that came when no further pattern fitted into memory. */
export const OVERFLOW = "{OVERFLOW}";

const SORTS = {
  count: (a, b) => b.count - a.count,
  pattern: (a, b) => (a.pattern < b.pattern ? -1 : a.pattern > b.pattern ? 1 : 0),
  level: (a, b) => (a.level < b.level ? -1 : a.level > b.level ? 1 : b.count - a.count),
  source: (a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : b.count - a.count),
  category: (a, b) => (a.category < b.category ? -1 : a.category > b.category ? 1 : b.count - a.count),
  first: (a, b) => (a.first_seen < b.first_seen ? 1 : a.first_seen > b.first_seen ? -1 : 0),
  last: (a, b) => (a.last_seen < b.last_seen ? 1 : a.last_seen > b.last_seen ? -1 : 0),
};

export class Catalog {
  constructor() {
    this.rows = [];
    this.more = false;
    this.complete = false;
  }

  /** Load what matches `parameters` (of GET /patterns). Calls `grown` after each page. */
  async load(parameters, signal, grown) {
    this.rows = [];
    this.complete = false;
    this.line = null;
    const known = new Set();
    for await (const { patterns, more, last } of patternPages({ ...parameters, order: "count" }, MOST, signal)) {
      for (const pattern of patterns) {
        if (known.has(pattern.pattern_id)) continue; // counts move while pages are read
        known.add(pattern.pattern_id);
        this.rows.push(row(pattern));
      }
      this.more = more;
      this.complete = last;
      grown();
    }
  }

  /** The rows that match, in the asked order. `filters`: {q, level, source, category, sort, reverse}. */
  matching({ q, level, source, category, sort, reverse }) {
    const { terms } = parse(q);
    const found = this.rows.filter((one) =>
      (!level || (level === "errors" ? ERRORS.some((name) => one.levels[name]) : one.levels[level])) &&
      (!source || one.sources[source]) && (!category || one.category === category) && matches(one, terms));
    found.sort(SORTS[sort] ?? SORTS.count);
    if (reverse) found.reverse();
    // What did not fit is no pattern: it stands last, whatever it counts.
    return [...found.filter((one) => !one.overflow), ...found.filter((one) => one.overflow)];
  }

  /** The names that filters can choose from: most frequent first. */
  names(of) {
    const counts = {};
    for (const one of this.rows) for (const [name, count] of Object.entries(of(one))) counts[name] = (counts[name] ?? 0) + count;
    return byCount(counts).map(([name]) => name);
  }
}

/** The most severe level, when most logs are less severe. */
function worse(levels) {
  const [usual, most] = [byCount(levels)[0]?.[0], worst(levels)];
  return LEVELS.indexOf(most) > LEVELS.indexOf(usual) ? most : "";
}

function row(pattern) {
  const sources = byCount(pattern.sources);
  return {
    ...pattern,
    samples: undefined,
    level: byCount(pattern.levels)[0]?.[0] ?? "",
    worse: worse(pattern.levels),
    source: sources[0]?.[0] ?? "",
    otherSources: sources.length - 1,
    overflow: pattern.pattern === OVERFLOW,
    text: [pattern.pattern, ...sources.map(([name]) => name), pattern.category].join("\n").toLowerCase(),
  };
}

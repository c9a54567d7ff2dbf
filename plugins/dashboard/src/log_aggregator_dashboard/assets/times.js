// The time range that is asked for, and which step suits a chart of it.

import { get, setting } from "./api.js";
import { here } from "./place.js";

const UNITS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const MINUTE = 60_000, DAY = 86_400_000;
const LONGEST = "-24h";
const FITTING = ["-15m", "-1h", "-6h"];
/** Pages of what is rare: their range is the longest usual one, however young the service is. */
const RARE = ["anomalies", "incident"];
const BUCKET = Number(setting("bucket"));
/** Minutes per bar while the store knows single minutes, and buckets per bar beyond. */
const MINUTES = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440], BUCKETS = [1, 2, 3, 6, 12, 24, 36, 72, 144, 288];

const KEPT = "log-aggregator first log", FRESH = 2000;

let first = null;
/** The answer that told the first log: the overview shows it, so that it need not ask again. */
let latest = null;

/** Learn when the first log of the last day came, so that the usual range fits what there is. Asks once a tab. */
export async function fit(signal) {
  const { since } = here().parameters;
  first ??= kept();
  if (since || first !== null || RARE.includes(here().page)) return;
  try {
    const answer = await get("series", { since: LONGEST, step: here().page === "overview" ? 60 : 300, split_by: "level" }, signal);
    const starts = answer.series.flatMap(({ points }) => points.slice(0, 1)).map(({ start }) => Date.parse(start));
    if (!starts.length) return;
    first = Math.min(...starts);
    sessionStorage.setItem(KEPT, first);
    latest = here().page === "overview" ? { answer, at: Date.now() } : null;
  } catch (error) {
    if (error.name === "AbortError") throw error; // any other page of a range says what is wrong
  }
}

function kept() {
  const known = Number(sessionStorage.getItem(KEPT));
  return known || null;
}

/** The counts by level of the usual range, when `fit` has just asked for them; else null. */
export function fitted(seconds) {
  const { since } = here().parameters;
  if (!latest || since || Date.now() - latest.at > FRESH) return null;
  const { answer } = latest;
  latest = null;
  const [start] = span();
  const series = answer.series.map(({ name, points }) => {
    const counts = new Map();
    let total = 0;
    for (const point of points) {
      const at = Date.parse(point.start);
      if (at + MINUTE <= start) continue;
      const step = Math.floor(at / 1000 / seconds) * seconds * 1000;
      counts.set(step, (counts.get(step) ?? 0) + point.count);
      total += point.count;
    }
    return { name, total, points: [...counts].map(([at, count]) => ({ start: new Date(at).toISOString(), count })) };
  });
  return { since: new Date(start).toISOString(), until: answer.until, step: seconds, series: series.filter(({ total }) => total) };
}

/** The range when none was chosen: the shortest one with all logs of the last day. */
export function usual() {
  if (first === null || RARE.includes(here().page)) return LONGEST;
  return FITTING.find((text) => moment(text) <= first) ?? LONGEST;
}

/** The range as the service is asked for it: {since, until}. */
export function asked() {
  const { since, until } = here().parameters;
  return { since: since || usual(), until };
}

/** The range in epoch milliseconds: [start, end]. */
export function span() {
  const { since, until } = asked();
  return [moment(since), until ? moment(until) : Date.now()];
}

/** A time of the address in epoch milliseconds. */
export function moment(text) {
  const relative = /^-(\d+)([smhdw])$/.exec(text);
  if (relative) return Date.now() - relative[1] * UNITS[relative[2]] * 1000;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? Date.now() - DAY : parsed;
}

/** Seconds per bar so that about `bars` fit: whole minutes for the last day, else a multiple of what the store keeps. */
export function step(bars = 72, [start, end] = span()) {
  const seconds = Math.max(1, (end - start) / 1000);
  const [unit, sizes] = Date.now() - start <= DAY + MINUTE ? [60, MINUTES] : [BUCKET, BUCKETS];
  const least = seconds / bars / unit;
  return (sizes.find((count) => count >= least) ?? Math.ceil(least)) * unit;
}

/** The parameters of an address for the quarter of an hour before and after a moment. */
export function around(value, minutes = 15) {
  const at = Date.parse(value);
  return { since: new Date(at - minutes * MINUTE).toISOString(), until: new Date(at + minutes * MINUTE).toISOString() };
}

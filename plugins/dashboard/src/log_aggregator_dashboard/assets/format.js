// How figures, times and levels are written for people.

const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export const LEVELS = ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRITICAL", "FATAL"];
export const ERRORS = ["ERROR", "CRITICAL", "FATAL"];

export const exact = (count) => whole.format(count);
export const compact = (count) => (Math.abs(count) < 10000 ? whole.format(count) : short.format(count));

/** A share of one as a percentage. */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.001) return "<0.1 %";
  return `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
}

/** A number with at most three significant digits. */
export function figure(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1000 ? compact(Math.round(value)) : String(Number(value.toPrecision(3)));
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count, unit = 0;
  while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** Seconds as the two largest units. */
export function duration(seconds) {
  const rounded = Math.max(0, Math.round(seconds));
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, size]) => rounded >= size);
  if (first < 0) return "0 s";
  const [unit, size] = parts[first];
  const main = `${Math.floor(rounded / size)} ${unit}`;
  const next = parts[first + 1];
  const rest = next ? Math.floor((rounded % size) / next[1]) : 0;
  return rest ? `${main} ${rest} ${next[0]}` : main;
}

/** How long ago a moment was, in one unit. */
export function ago(moment) {
  const seconds = (Date.now() - moment) / 1000;
  if (seconds < 5) return "now";
  return `${duration(seconds).split(" ").slice(0, 2).join(" ")} ago`;
}

const pad = (number, digits = 2) => String(number).padStart(digits, "0");
export const day = (moment) => `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
export const clock = (moment) => `${pad(moment.getHours())}:${pad(moment.getMinutes())}`;

/** Date and time to the second, in the reader's time zone. */
export function when(value) {
  const moment = new Date(value);
  return `${day(moment)} ${clock(moment)}:${pad(moment.getSeconds())}`;
}

/** The time of day to the millisecond. */
export function instant(value) {
  const moment = new Date(value);
  return `${clock(moment)}:${pad(moment.getSeconds())}.${pad(moment.getMilliseconds(), 3)}`;
}

/** The style class of a level; levels that nobody knows share one. */
export function levelClass(level) {
  return `level-${LEVELS.includes(level) ? level.toLowerCase() : "other"}`;
}

/** The most severe known level of `levels` (level → count), else the most frequent. */
export function worst(levels) {
  const known = LEVELS.filter((level) => levels[level]);
  return known.at(-1) ?? byCount(levels)[0]?.[0] ?? "";
}

/** The entries of `counts` (name → count), the largest first. */
export function byCount(counts) {
  return Object.entries(counts ?? {}).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

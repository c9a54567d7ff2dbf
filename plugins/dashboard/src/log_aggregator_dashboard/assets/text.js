// The texts that a person reads. They stand in one module for each language, `en.js` and `de.js`; this one finds them.

const KEPT = "log-aggregator language";
/** The languages by their own names. */
export const LANGUAGES = { en: "English", de: "Deutsch" };

const plain = (tag) => tag.toLowerCase().split("-")[0];

/** What the reader has chosen for this browser; empty: as the browser says. */
export function chosenLanguage() {
  try {
    const kept = localStorage.getItem(KEPT) ?? "";
    return kept in LANGUAGES ? kept : "";
  } catch {
    return "";
  }
}

/** Keep a choice, and show everything in it. */
export function chooseLanguage(name) {
  if (name) localStorage.setItem(KEPT, name);
  else localStorage.removeItem(KEPT);
  location.reload();
}

export const language = chosenLanguage() || navigator.languages.map(plain).find((name) => name in LANGUAGES) || "en";
/** The reader's own variant of the language, for numbers: de-CH writes 1’000. */
export const locale = navigator.languages.find((tag) => plain(tag) === language) ?? language;

const { TEXTS } = await import(`./${language}.js`);
const PLACE = /\{([a-z_]+)\}/;
const numbers = new Intl.NumberFormat(locale);
const forms = new Intl.PluralRules(language);

const find = (key) => key.split(".").reduce((found, part) => found?.[part], TEXTS);

/** The text of a key, such as "list.count"; each `{name}` becomes that value. Numbers are written as the locale does,
 *  and `n` chooses between `one` and `other`. With an element among the values: a list of texts and elements. */
export function t(key, values = {}) {
  const found = find(key);
  const text = typeof found === "object" ? found[forms.select(values.n)] ?? found.other : found;
  if (text === undefined) throw new Error(`${key}: no such text`);
  const pieces = text.split(PLACE).map((piece, index) => (index % 2 ? written(values[piece]) : piece));
  return pieces.every((piece) => typeof piece === "string") ? pieces.join("") : pieces;
}

/** The text of a key, or `other` where there is none: for names that the service gives. */
export const textOr = (key, other) => (typeof find(key) === "string" ? find(key) : other);

function written(value) {
  if (typeof value === "number") return numbers.format(value);
  return value instanceof Node || Array.isArray(value) ? value : String(value);
}

document.documentElement.lang = language;

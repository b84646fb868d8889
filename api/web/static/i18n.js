// The language of the page: asked for in the address, else remembered, else the browser's.

import { EN } from "/static/words_en.js";
import { ZH } from "/static/words_zh.js";

const REMEMBERED_AS = "historian.language";
const WORDS = { zh: ZH, en: EN };
const LOCALES = { zh: "zh-CN", en: "en-GB" };

let current = firstLanguage();

/** "zh" or "en". */
export function language() {
  return current;
}

/** The BCP 47 tag for formatters and Accept-Language. */
export function locale() {
  return LOCALES[current];
}

/** Changes the language and remembers it. */
export function setLanguage(wanted) {
  if (!(wanted in WORDS)) return;
  current = wanted;
  localStorage.setItem(REMEMBERED_AS, wanted);
}

/** The words for `key`, with {name} places filled in. */
export function words(key, values = {}) {
  const text = WORDS[current][key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The words for a code the server gave; an unknown code is shown as it is, readable. */
export function codeWords(group, code) {
  return WORDS[current][`${group}.${code}`] ?? String(code ?? "").replaceAll("_", " ");
}

/** Fills every element of index.html that names its words. */
export function translatePage() {
  document.documentElement.lang = locale();
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = words(node.dataset.word);
  for (const node of document.querySelectorAll("[data-word-label]")) {
    node.setAttribute("aria-label", words(node.dataset.wordLabel));
  }
  for (const node of document.querySelectorAll("[data-word-title]")) node.title = words(node.dataset.wordTitle);
  for (const node of document.querySelectorAll("[data-word-live]")) node.dataset.live = words(node.dataset.wordLive);
  for (const node of document.querySelectorAll("[data-word-hint]")) node.placeholder = words(node.dataset.wordHint);
  for (const node of document.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === current));
  }
}

function firstLanguage() {
  const remembered = localStorage.getItem(REMEMBERED_AS);
  if (remembered in WORDS) return remembered;
  return (navigator.languages ?? [navigator.language]).some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh" : "en";
}

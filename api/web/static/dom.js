// Makes and fills elements; text is always set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes (null and false leave one out) and children (strings or nodes). */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same in the SVG namespace. */
export function svgElement(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** The element of that id; a missing one is our mistake. */
export function byId(id) {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`index.html has no element #${id}`);
  return node;
}

/** Replaces the children only when `key` differs from last time, so that focus and selection survive a refresh. */
export function replaceIfChanged(node, key, makeChildren) {
  if (node.dataset.shown === key) return;
  node.dataset.shown = key;
  node.replaceChildren(...makeChildren());
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

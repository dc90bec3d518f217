/**
 * Small hands for building a tree. Only `createElement` and text: no markup is ever parsed, so pages with Trusted
 * Types and a strict content policy are served, and text from a catalogue stays text.
 */

/**
 * An element whose class names are also its `part` names.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [name]
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] true: set; false or none: absent
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, name, attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (name) {
    node.className = name;
    node.setAttribute("part", name);
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

const SPEAKS_FOR = 6000;
const SVG = "http://www.w3.org/2000/svg";

/**
 * A drawing on a field of 24 by 24, in the colour of the text; readers of the screen pass it by.
 * @param {string} path
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/**
 * The text with `{name}` filled in.
 * @param {string | undefined} text
 * @param {object} values
 */
export const fill = (text = "", values) =>
  text.replace(/\{(\w+)\}/g, (_, name) => String(/** @type {Record<string, unknown>} */ (values)[name] ?? ""));

/**
 * Who speaks to the person in `line`: what was said last, for six seconds.
 * @param {HTMLElement} line
 */
export function speaker(line) {
  let quiet = 0;
  return (/** @type {string} */ text) => {
    line.textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => (line.textContent = ""), SPEAKS_FOR);
  };
}

/**
 * Events for the host's page: `grapevine-ready`, `-like`, `-share`, `-checkout` (which it may refuse), `-error`.
 * Whether it was not refused.
 * @param {HTMLElement} host
 * @param {string} name
 * @param {object} detail
 */
export const tell = (host, name, detail) =>
  host.dispatchEvent(new CustomEvent(`grapevine-${name}`, { detail, bubbles: true, composed: true, cancelable: true }));

/** @type {WeakMap<Document, Record<string, CSSStyleSheet>>} */
const sheets = new WeakMap();

/**
 * Gives a tree one more sheet, once. A sheet belongs to one document: each gets its own, for a page may move an element
 * into a frame or a window.
 * @param {ShadowRoot} root
 * @param {string} style
 */
export function adopt(root, style) {
  const page = root.ownerDocument;
  const made = sheets.get(page) ?? {};
  sheets.set(page, made);
  if (!made[style]) {
    made[style] = new /** @type {typeof globalThis} */ (page.defaultView).CSSStyleSheet();
    made[style].replaceSync(style);
  }
  root.adoptedStyleSheets = [...new Set([...root.adoptedStyleSheets, made[style]])];
}

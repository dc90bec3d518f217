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

/** @param {string} text */
export function sheet(text) {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
}

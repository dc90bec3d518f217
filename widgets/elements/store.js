/**
 * What the page remembers: its own localStorage, or only memory where that is refused (sandboxed frames, private
 * windows, full disks). No cookie. Values are JSON.
 */

/** @type {Map<string, unknown>} */
const memory = new Map();

/**
 * @param {string} key
 * @returns {any} null when there is nothing, or nothing readable
 */
export function recall(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/**
 * Keeps `value`; null forgets.
 * @param {string} key
 * @param {unknown} value
 */
export function keep(key, value) {
  memory.delete(key);
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    memory.set(key, value);
  }
}

/**
 * The click id that a followed link left in the page's address. It is taken out of the address at once, so that an
 * address copied from the browser is nobody's referral. Pure but for `ARRIVAL`, which is read when the page starts.
 */
import { keep, recall } from "./store.js";

const OPENED = Date.now();
const SHAPE = /^clk_[0-9a-z]{8,64}$/;

/**
 * The text, if it is a click id.
 * @param {string | null | undefined} text
 */
export const clickId = (text) => (text && SHAPE.test(text) ? text : null);

function arrive() {
  const { href, search } = location;
  /** @type {string | null} */
  let click = null;
  const kept = search
    .slice(1)
    .split("&")
    .filter((pair) => {
      if (!pair.startsWith("gv_click=")) return true;
      click = clickId(pair.slice(9)) ?? click;
    })
    .join("&");
  // All else in the address stays letter by letter.
  const clean = href.replace(search, () => kept && `?${kept}`);
  if (clean !== href) {
    try {
      history.replaceState(history.state, "", clean);
    } catch {
      // A page without an address of its own (srcdoc, sandbox) cannot rewrite it; the click counts all the same.
    }
  }
  // Kept before anything is known of walls and merchants: the server may be away just now.
  if (click) keep("grapevine:arrival", { id: click, at: Date.now() });
  return /** @type {import("./types.js").Arrival | null} */ (recall("grapevine:arrival"));
}

/** The click by which somebody last came to this site, if any. */
export const ARRIVAL = arrive();

/**
 * The visit that led to what `host` shows: a hosted page says in `click` by which it was opened; else the address did.
 * @param {HTMLElement} host
 */
export function arrivalOf(host) {
  const id = clickId(host.getAttribute("click"));
  return id ? { id, at: OPENED } : ARRIVAL;
}

/**
 * The click id that a followed link left in the page's address. It is taken out of the address at once, so that an
 * address copied from the browser is nobody's referral. Pure but for `ARRIVAL`, which is read when the page starts.
 */
import { keep, recall } from "./store.js";

const SHAPE = /^clk_[0-9a-z]{8,64}$/;

/**
 * The text, if it is a click id.
 * @param {string | null | undefined} text
 */
export const clickId = (text) => (text && SHAPE.test(text) ? text : null);

/**
 * Splits `?gv_click=` off an address; all else in it stays letter by letter.
 * @param {string} href
 * @returns {{click: string | null, href: string}}
 */
export function takeClick(href) {
  const [address, ...fragment] = href.split("#");
  const [path, ...search] = address.split("?");
  /** @type {string | null} */
  let click = null;
  const kept = search
    .join("?")
    .split("&")
    .filter((pair) => {
      if (!pair.startsWith("gv_click=")) return true;
      click = clickId(pair.slice(9)) ?? click;
      return false;
    });
  const query = kept.join("&");
  return { click, href: path + (query && `?${query}`) + (fragment.length ? `#${fragment.join("#")}` : "") };
}

function arrive() {
  const { click, href } = takeClick(location.href);
  if (href !== location.href) {
    try {
      history.replaceState(history.state, "", href);
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

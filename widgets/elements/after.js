/**
 * What an element does once it is on the screen: claim the visit that led here, follow the likes of others, and tell
 * what was seen. Fetched after the first paint. Draws no card.
 */
import { finish } from "./later.js";
import { follow } from "./live.js";
import { watch } from "./seen.js";

/** @typedef {import("./types.js").Shown} Shown */

/**
 * Called each time that an element has drawn a payload. Never throws.
 * @param {Shown} shown
 */
export function after(shown) {
  shown.place.visitor.act().then((acting) => acting.arrive(shown.arrival), () => {});
  finish(shown);
  watch(shown);
  follow(shown);
}

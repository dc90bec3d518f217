/**
 * What an element does once it is on the screen: take note of what the person agreed to, claim the visit that led here,
 * follow the likes of others, and tell what was seen. Fetched after the first paint. Draws no card.
 */
import { attend } from "./choices.js";
import { finish } from "./later.js";
import { follow } from "./live.js";
import { watch } from "./seen.js";

/** @typedef {import("./types.js").Shown} Shown */

/**
 * Called each time that an element has drawn a payload. Never throws.
 * @param {Shown} shown
 */
export function after(shown) {
  const { visitor } = shown.place;
  attend(shown.element, visitor)
    .then(() => visitor.act())
    .then((acting) => acting.arrive(shown.arrival))
    .catch(() => {});
  finish(shown);
  watch(shown);
  follow(shown);
}

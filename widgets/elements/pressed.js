/**
 * What follows when a heart or "Buy" is pressed. Fetched then.
 */
import { web } from "./api.js";

/** @typedef {import("./types.js").Place} Place */

/** @type {WeakSet<import("./types.js").Heart>} whose wish is being carried out */
const busy = new WeakSet();

/**
 * Brings the server to what the person wants of a heart; a "no" is said, and the heart as it was. Presses may come
 * faster than answers: only the last wish is carried out.
 * @param {import("./types.js").Heart} heart
 * @param {string} product
 * @param {Place} place
 */
export async function settle(heart, product, { visitor, wall, words, say, tell }) {
  if (busy.has(heart)) return;
  busy.add(heart);
  while (heart.wanted !== heart.stands) {
    const { likes } = heart;
    if (!heart.wanted && !visitor.token) {
      // Where no visitors are kept nobody can prove that this like was theirs.
      heart.wanted = true;
      say(words.like_stays);
      heart.draw();
      break;
    }
    try {
      const acting = await visitor.act();
      if (heart.wanted) heart.likes = (await acting.like(product, wall)).likes;
      else {
        await acting.unlike(product, wall);
        // Unless the news came before the answer.
        if (heart.likes === likes) heart.likes -= 1;
      }
      heart.stands = !heart.stands;
      tell("like", { product, liked: heart.stands });
    } catch (problem) {
      heart.wanted = heart.stands;
      say(wordFor(problem, words));
    }
    heart.draw();
  }
  busy.delete(heart);
}

/**
 * @param {unknown} problem
 * @param {import("./types.js").Words} words
 */
const wordFor = (problem, words) =>
  words[/** @type {import("./api.js").Problem} */ (problem).word] ?? words.error_other;

/**
 * Goes to the till with a variant; a "no" is said, and the button is ready again. Never throws.
 * @param {HTMLButtonElement} button which was pressed, and is busy
 * @param {string} variant
 * @param {number} quantity
 * @param {Place} place
 */
export async function buy(button, variant, quantity, { visitor, wall, words, say }) {
  const ready = () => (button.ariaBusy = "false");
  try {
    const stays = leave(await (await visitor.act()).checkout(variant, quantity, wall));
    if (stays) ready();
    else addEventListener("pageshow", ready, { once: true }); // Back again, from the page cache.
  } catch (problem) {
    ready();
    say(wordFor(problem, words));
  }
}

/**
 * To the till, at the top: a payment page refuses to be framed. Whether this page stays, since a sandbox holds it
 * and the till has a window of its own.
 * @param {string} url
 * @throws {Error} when there is no way to the till
 */
function leave(url) {
  const address = web(url);
  if (!address) throw new Error("no address");
  try {
    /** @type {Window} */ (top).location.href = address;
    return false;
  } catch {
    const till = open("", "_blank");
    if (!till) throw new Error("held in a sandbox");
    till.opener = null;
    till.location.replace(address);
    return true;
  }
}

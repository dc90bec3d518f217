/**
 * The heart: at once on the screen, then on the server, and taken back when the server says no.
 */
import { count } from "./price.js";
import { el, fill, icon } from "./dom.js";

const HEART = "M12 20.5 4.6 13a5 5 0 1 1 7.4-6.7A5 5 0 1 1 19.4 13Z";

/**
 * @param {import("./types.js").Card} card
 * @param {import("./types.js").Place} place
 */
export function likeButton(card, place) {
  const { words, locales, visitor, wall } = place;
  const number = el("span");
  const button = el("button", "like", { type: "button" }, icon(HEART), number);
  const stands = Boolean(visitor.liked(card.id, wall));
  /** @type {import("./types.js").Heart} */
  const heart = { likes: card.likes, stands, wanted: stands, draw };

  function draw() {
    const { likes, stands, wanted } = heart;
    const shown = Math.max(0, likes + Number(wanted) - Number(stands));
    number.textContent = shown ? count(shown, locales) : "";
    button.ariaPressed = String(wanted);
    button.ariaLabel = fill(words.like, { title: card.title, count: number.textContent });
  }

  button.addEventListener("click", async () => {
    heart.wanted = !heart.wanted;
    draw();
    try {
      const { settle } = await import("./pressed.js");
      await settle(heart, card.id, place);
    } catch {
      heart.wanted = heart.stands;
      draw();
      place.say(words.error_offline);
    }
  });
  place.counts.set(card.id, (likes) => {
    heart.likes = likes;
    draw();
  });
  draw();
  return button;
}

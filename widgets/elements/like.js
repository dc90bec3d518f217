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
export function likeButton(card, { words, locales, visitor, wall, say, tell }) {
  const number = el("span");
  const button = el("button", "like", { type: "button" }, icon(HEART), number);
  let likes = card.likes;
  let stands = Boolean(visitor.liked(card.id, wall));
  let wanted = stands;
  let busy = false;

  function draw() {
    const shown = Math.max(0, likes + Number(wanted) - Number(stands));
    number.textContent = shown ? count(shown, locales) : "";
    button.ariaPressed = String(wanted);
    button.ariaLabel = fill(words.like, { title: card.title, count: number.textContent });
  }

  // Presses may come faster than answers: only the last wish is carried out.
  async function settle() {
    busy = true;
    while (wanted !== stands) {
      try {
        const acting = await visitor.act();
        if (wanted) likes = (await acting.like(card.id, wall)).likes;
        else {
          await acting.unlike(card.id, wall);
          likes -= 1;
        }
        stands = !stands;
        tell("like", { product: card.id, liked: stands });
      } catch (problem) {
        wanted = stands;
        say(words[/** @type {import("./api.js").Problem} */ (problem).word]);
      }
      draw();
    }
    busy = false;
  }

  button.addEventListener("click", () => {
    wanted = !wanted;
    draw();
    if (!busy) settle();
  });
  draw();
  return button;
}

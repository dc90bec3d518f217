/**
 * Says that there are new cards. Part of after.js.
 */
import { el } from "./dom.js";

/** Milliseconds for which the server keeps a payload ready: what is told just now may not stand in it yet. */
const KEPT_READY = 1100;

/**
 * Nothing moves until the person asks to see it.
 * @param {import("./types.js").Shown} shown
 * @param {string[]} products
 */
export function offer({ section, payload, place }, products) {
  const known = new Set(/** @type {import("./types.js").WallPayload} */ (payload).cards.map(({ id }) => id));
  if (section.querySelector(".news") || products.every((id) => known.has(id))) return;
  const button = el("button", "fresh", { type: "button" }, place.words.live_show);
  const news = el("div", "news", { role: "status" });
  button.addEventListener("click", () => {
    news.remove();
    place.redraw();
  });
  section.querySelector(".say")?.append(news);
  // Who listens hears what comes into a status, not what it is born with. By then the payload knows it too.
  setTimeout(() => news.append(button), KEPT_READY);
}

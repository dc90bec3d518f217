/**
 * Draws anew what an element shows, from a payload fetched anew. Cards that are as they were stay the same nodes, with
 * what was chosen in them, their focus and their pictures; so does an open sheet, and whatever is scrolled. Fetched
 * when it is first needed.
 */
import { drawCard } from "./card.js";

/** @typedef {import("./types.js").Card} Card */
/** @typedef {import("./types.js").Shown} Shown */

/** What a card says, but for its likes, which are told apart. @param {Card} card */
const facts = (card) => JSON.stringify({ ...card, likes: 0 });

/**
 * Never throws: when the server is away, all stays as it is.
 * @param {Shown} shown
 */
export async function redraw(shown) {
  const { element, section, place } = shown;
  try {
    // What a cache knows may be older than the news for which this is done.
    const options = /** @type {const} */ ({ mode: "cors", credentials: "omit", cache: "no-cache" });
    const answer = await fetch(element.api + element.path, options);
    // Another wall may be shown by now.
    if (!answer.ok || !element.shadowRoot?.contains(section)) return;
    const before = new Map(element.view(shown.payload).cards.map((card) => [card.id, facts(card)]));
    shown.payload = await answer.json();
    const { cards, label } = element.view(shown.payload);
    section.ariaLabel = label;
    const kept = new Map([...section.querySelectorAll("li")].map((item) => [item.dataset.product, item]));
    const items = cards.map((card, at) => {
      const item = before.get(card.id) === facts(card) && kept.get(card.id);
      if (!item) return drawCard(card, place, at);
      place.counts.get(card.id)?.(card.likes);
      return item;
    });
    for (const id of before.keys()) if (!cards.some((card) => card.id === id)) place.counts.delete(id);
    const list = section.querySelector(".cards");
    if (list) arrange(list, items);
    const { after } = await import("./after.js");
    after(shown);
  } catch {
    // Nothing is lost; who asked may ask again.
  }
}

/**
 * Makes `items` the children of `list`, and moves none that stands right already.
 * @param {Element} list
 * @param {HTMLElement[]} items
 */
function arrange(list, items) {
  const root = /** @type {ShadowRoot} */ (list.getRootNode());
  const focused = root.activeElement;
  const { scrollLeft } = list;
  items.forEach((item, at) => {
    if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
  });
  while (list.children.length > items.length) list.lastElementChild?.remove();
  list.scrollLeft = scrollLeft;
  refocus(items, focused);
}

/**
 * To where the focus was: the same node, or the like of it in the card of the same product.
 * @param {HTMLElement[]} items
 * @param {Element | null} focused
 */
function refocus(items, focused) {
  if (!(focused instanceof HTMLElement) || focused.matches(":focus")) return;
  const id = focused.closest("li")?.dataset.product;
  const name = focused.className ? `.${focused.className}` : ".title a";
  const next = focused.isConnected ? focused : items.find((item) => item.dataset.product === id)?.querySelector(name);
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

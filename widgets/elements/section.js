/**
 * Shows a payload in the shadow tree of an element: the section with its cards, and the line that speaks to the person.
 * Knows no server. What is needed only when somebody does something is fetched then.
 */
import { drawCard } from "./card.js";
import { arrivalOf } from "./click.js";
import { el, speaker, tell } from "./dom.js";
import { readable } from "./price.js";
import { visitorOf } from "./visitor.js";

/** @typedef {import("./types.js").Common} Common */
/** @typedef {import("./types.js").Host} Host */
/** @typedef {import("./types.js").Place} Place */

/** So many cards are drawn at once; the others in slices, so that the page answers in between. */
export const MOST_AT_ONCE = 60;

/**
 * Names the classes by which a section and its cards are laid out.
 * @param {Host} host
 * @param {HTMLElement} section
 * @param {string} layout
 */
export function shape(host, section, layout) {
  section.classList.add(layout);
  // Where a product stands alone one can say how many; elsewhere if the page asks for it.
  section.classList.toggle("counted", host.hasAttribute("quantity") || ["single", "alone"].includes(layout));
}

/**
 * @param {HTMLElement} section
 * @param {import("./types.js").Theme} theme
 */
function applyTheme(section, { scheme, accent, radius }) {
  section.dataset.scheme = scheme ?? "";
  section.style.setProperty("--theme-accent", accent ?? "");
  if (typeof radius === "number") section.style.setProperty("--theme-radius", `${radius}px`);
}

/**
 * Puts the payload into the place of what is there, which keeps its height.
 * @param {Host} host
 * @param {ShadowRoot} root
 * @param {import("./types.js").WallPayload | import("./types.js").ProductPayload} payload
 */
export async function show(host, root, payload) {
  const { cards, label, layout, theme, wall } = host.view(payload);
  const section = el("section", "", { lang: payload.words.lang, "aria-label": label });
  shape(host, section, layout);
  section.classList.toggle("many", cards.length > MOST_AT_ONCE);
  applyTheme(section, theme);
  const shown = shownIn(section, host, root, payload, wall);
  // Those of later slices have their room already.
  const draw = (/** @type {number} */ at) => drawCard(cards[at], shown.place, at);
  const items = cards.map((_, at) => (at < MOST_AT_ONCE ? draw(at) : el("li", "card")));
  section.prepend(
    el("ul", "cards", { role: "list" }, ...items, !cards.length && el("li", "", {}, payload.words.empty)),
  );
  // What was there keeps its room, as far as it is on the screen: nothing below moves up.
  const { top, bottom } = /** @type {Element} */ (root.firstElementChild).getBoundingClientRect();
  section.style.minBlockSize = `${Math.min(bottom, innerHeight) - top}px`;
  root.replaceChildren(section);
  tell(host, "ready", {});
  for (let at = MOST_AT_ONCE; at < cards.length; at++) {
    if (at % MOST_AT_ONCE === 0) await new Promise((done) => setTimeout(done));
    items[at].replaceWith(draw(at));
  }
  if (section.parentNode) import("./after.js").then(({ after }) => after(shown), () => {});
}

/**
 * @param {HTMLElement} section
 * @param {Host} host
 * @param {ShadowRoot} root
 * @param {import("./types.js").WallPayload | import("./types.js").ProductPayload} payload
 * @param {string} [wall]
 */
function shownIn(section, host, root, payload, wall) {
  const { words } = payload;
  const line = el("p", "message", { role: "status" });
  /** @type {Place} */
  const place = {
    ...payload,
    locales: readable(navigator.languages),
    heading: Math.min(6, Math.max(1, Number(host.getAttribute("heading")) || 2)),
    counted: section.classList.contains("counted"),
    whole: section.classList.contains("alone"),
    wall,
    visitor: visitorOf(host.api, payload.merchant),
    counts: new Map(),
    say: speaker(line),
    tell: (name, detail) => tell(host, name, detail),
    share: (card) =>
      import("./share.js").then(
        ({ openSheet }) => openSheet(root, section, card, place.networks, place),
        () => place.say(words.error_offline),
      ),
    redraw: () => import("./redraw.js").then(({ redraw }) => redraw(shown)),
  };
  const shown = { element: host, section, payload, place, arrival: arrivalOf(host) };
  section.append(el("div", "say", {}, line));
  return shown;
}

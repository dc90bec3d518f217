/**
 * Beacons: a wall or card was seen (sight.js), which is told once for each card and page load, or something was opened.
 * Sent in batches, never in anybody's way, and rather lost than sent twice.
 */
import { unfollowed } from "./choices.js";
import { hidden, watchCards } from "./sight.js";

/** @typedef {import("./types.js").Shown} Shown */
/** @typedef {{type: string, wall?: string, product?: string, code?: string, at: string}} Beacon */

const PAUSE = 3000;
const MOST = 50;

/** @type {Set<string>} what was told once on this page */
const told = new Set();

/** @type {Map<import("./types.js").Place["visitor"], Beacon[]>} */
const waiting = new Map();

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

function send() {
  clearTimeout(timer);
  timer = undefined;
  for (const [visitor, beacons] of waiting) {
    // Known only now: the visit that led here may have been claimed since.
    const who = unfollowed(visitor) ? {} : { click: visitor.click ?? undefined, visitor: visitor.token ?? undefined };
    for (let from = 0; from < beacons.length; from += MOST) {
      const body = JSON.stringify(beacons.slice(from, from + MOST).map((beacon) => ({ ...beacon, ...who })));
      post(`${visitor.api}/v1/beacons`, body);
    }
  }
  waiting.clear();
}

/**
 * A simple request, so nothing is asked beforehand; it outlives the page. Whether it arrives is nobody's worry here.
 * @param {string} url
 * @param {string} body
 */
function post(url, body) {
  const headers = { "Content-Type": "text/plain" };
  fetch(url, { method: "POST", mode: "cors", credentials: "omit", keepalive: true, headers, body }).catch(() => {});
}

// Either may be the last that a page hears: phones end pages without a word.
document.addEventListener("visibilitychange", () => hidden() && send());
addEventListener("pagehide", send);

/**
 * @param {Shown} shown
 * @param {string} type
 * @param {string} [product]
 */
function tell({ element, place: { visitor, wall } }, type, product) {
  /** @type {Beacon} */
  const beacon = { type, wall, product, at: new Date().toISOString() };
  const code = element.getAttribute("code");
  if (code && type === "card_view") beacon.code = code;
  waiting.set(visitor, [...(waiting.get(visitor) ?? []), beacon]);
  timer ??= setTimeout(send, PAUSE);
}

/**
 * @param {Shown} shown
 * @param {string} type
 * @param {string} [product]
 */
function tellOnce(shown, type, product) {
  const { element, place } = shown;
  const what = [place.visitor.scope, type, place.wall, product, element.getAttribute("code")].join(" ");
  if (!told.has(what)) tell(shown, type, product);
  told.add(what);
}

/** @type {WeakMap<Element, AbortController>} ends the watch over what an element showed before */
const watches = new WeakMap();

/**
 * Watches the cards of an element, and what is opened in it, until it shows something else.
 * @param {Shown} shown
 */
export function watch(shown) {
  const end = new AbortController();
  watches.get(shown.element)?.abort();
  watches.set(shown.element, end);
  const seen = (/** @type {Element} */ card) => {
    if ("wall" in shown.payload) tellOnce(shown, "wall_view");
    tellOnce(shown, "card_view", card.getAttribute("data-product") ?? undefined);
  };
  watchCards(shown.section.querySelectorAll("[data-product]"), seen, end.signal);
  watchPresses(shown, end.signal);
}

/**
 * What is opened: a product's page, the share sheet, the till.
 * @param {Shown} shown
 * @param {AbortSignal} signal
 */
function watchPresses(shown, signal) {
  const opened = (/** @type {Event} */ event) => {
    const target = /** @type {Element} */ (event.target);
    const product = target.closest("[data-product]")?.getAttribute("data-product");
    if (product && target.closest("a[href]")) tell(shown, "card_open", product);
    else if (product && target.closest(".share")) tell(shown, "share_open", product);
  };
  shown.section.addEventListener("click", opened, { signal });
  shown.section.addEventListener("auxclick", (event) => event.button === 1 && opened(event), { signal });
  const till = (/** @type {Event} */ event) => {
    const { product } = /** @type {CustomEvent<{product: string}>} */ (event).detail;
    // Once everybody on the page was asked: who refuses it opens no till.
    queueMicrotask(() => event.defaultPrevented || tell(shown, "checkout_open", product));
  };
  shown.element.addEventListener("grapevine-checkout", till, { signal });
}

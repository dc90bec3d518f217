/**
 * Likes as they come, in all open walls: one stream a page (browsers open six connections to a server, and the host's
 * page needs them too), for the wall that asks first; what else stands on the page, and whoever is refused a stream,
 * asks for the payload from time to time. All is still while the page is hidden.
 */
import { el, sheet } from "./dom.js";

/** @typedef {import("./types.js").Shown} Shown */
/** @typedef {Record<string, number>} Likes */

/** Milliseconds, give or take a fifth: not everybody at once after a server came back. */
const EVERY = 15_000;
/** Milliseconds for which the server keeps a payload ready: what is told just now may not stand in it yet. */
const KEPT_READY = 1100;
/** After so many times of asking, a stream is tried again. */
const AGAIN = 20;

const STYLES = sheet(`
.say .fresh{position:absolute;inset-block-end:0;inset-inline:0;margin:auto;inline-size:fit-content;min-block-size:44px;padding:0 18px;border:0;border-radius:22px;background:var(--accent);color:var(--ink);font:inherit;font-size:.9375rem;font-weight:600;box-shadow:0 8px 24px -8px #0006;pointer-events:auto;cursor:pointer}
.say .fresh:focus-visible{outline:3px solid var(--text);outline-offset:2px}
.say p:not(:empty)+.news .fresh{inset-block-end:56px}
`);

/** @type {Map<string, Source>} by address */
const sources = new Map();

/** @type {WeakMap<Element, Shown>} what an element shows now */
const showing = new WeakMap();

/** @type {Source | null} the one that has the page's stream */
let streaming = null;

const hidden = () => document.visibilityState === "hidden";

/** What several elements of a page may follow together: a wall, or one product. */
class Source {
  /** @type {Set<WeakRef<Element>>} */
  #followers = new Set();
  /** @type {EventSource | null} */
  #stream = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #position = "";
  #asked = 0;
  #refused = false;
  #gone = false;

  /**
   * @param {string} payload address of the payload
   * @param {string} [live] address of the stream, where there is one
   */
  constructor(payload, live) {
    this.payload = payload;
    this.live = live;
  }

  /** @param {Element} element */
  add(element) {
    if (![...this.#followers].some((one) => one.deref() === element)) this.#followers.add(new WeakRef(element));
    this.go();
  }

  /** Goes on where it was, if anybody is there to see it. */
  go() {
    if (this.#stream || this.#timer || hidden() || this.#gone || !this.#shown().length) return;
    if (this.live && !this.#refused && (!streaming || streaming === this)) this.#open();
    else this.#wait();
  }

  /** Leaves the line; `go` takes it up again. */
  rest() {
    this.#stream?.close();
    this.#stream = null;
    if (streaming === this) streaming = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #shown() {
    const shown = [];
    for (const one of this.#followers) {
      const element = one.deref();
      const what = element && showing.get(element);
      if (!what || addressOf(what) !== this.payload) this.#followers.delete(one);
      else if (element.isConnected) shown.push(what);
    }
    return shown;
  }

  #wait() {
    this.#timer = setTimeout(() => this.#poll(), EVERY * (0.8 + Math.random() * 0.4));
  }

  #refuse() {
    this.rest();
    this.#refused = true;
    this.#poll();
  }

  #open() {
    streaming = this;
    const stream = new EventSource(`${this.live}${this.#position && `?after=${this.#position}`}`);
    this.#stream = stream;
    // A line that says nothing at all is held back by somebody between.
    this.#timer = setTimeout(() => this.#refuse(), EVERY);
    /** @type {(name: string, take: (data: any) => void) => void} */
    const on = (name, take) =>
      stream.addEventListener(name, ({ data, lastEventId }) => {
        clearTimeout(this.#timer);
        this.#position = lastEventId;
        if (!this.#shown().length) this.rest();
        else take(JSON.parse(data));
      });
    on("likes", ({ likes, all, shown }) => {
      this.#count(likes, all === true);
      this.#added(shown ?? []);
    });
    on("cards", ({ added }) => this.#added(added));
    on("share", () => {});
    // Cut off, a browser comes back by itself; it gives up where it was refused.
    stream.addEventListener("error", () => stream.readyState === EventSource.CLOSED && this.#refuse());
  }

  async #poll() {
    this.#timer = undefined;
    const shown = this.#shown();
    if (!shown.length) return;
    this.#asked += 1;
    try {
      // The browser asks with the ETag it has; nothing is sent again that has not changed.
      const answer = await fetch(this.payload, { mode: "cors", credentials: "omit", cache: "no-cache" });
      this.#gone = answer.status === 404 || answer.status === 410;
      if (answer.ok) this.#take(await answer.json());
    } catch {
      // The line is cut: it will be asked again.
    }
    if (this.#asked % AGAIN === 0) this.#refused = false;
    this.go();
  }

  /** @param {any} payload */
  #take({ cards, product }) {
    const all = /** @type {import("./types.js").Card[]} */ (cards ?? [product]);
    this.#count(Object.fromEntries(all.map(({ id, likes }) => [id, likes])), false);
    this.#added(all.map(({ id }) => id));
  }

  /**
   * @param {Likes} likes
   * @param {boolean} all what is not named has none
   */
  #count(likes, all) {
    for (const { place, payload } of this.#shown()) {
      for (const [product, set] of place.counts) {
        if (Object.hasOwn(likes, product)) set(likes[product]);
        else if (all && "wall" in payload) set(0);
      }
    }
  }

  /** @param {string[]} products */
  #added(products) {
    for (const shown of this.#shown()) if ("cards" in shown.payload) offer(shown, products);
  }
}

/**
 * Says that there is something new. Nothing moves until the person asks to see it.
 * @param {Shown} shown
 * @param {string[]} products
 */
function offer({ section, payload, place }, products) {
  const known = new Set(/** @type {import("./types.js").WallPayload} */ (payload).cards.map(({ id }) => id));
  if (section.querySelector(".news") || products.every((id) => known.has(id))) return;
  const root = /** @type {ShadowRoot} */ (section.getRootNode());
  if (!root.adoptedStyleSheets.includes(STYLES)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, STYLES];
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

/** @param {Shown} shown */
function addressOf({ payload, place: { visitor, wall } }) {
  if ("cards" in payload) return `${visitor.api}/v1/walls/${payload.wall.id}/widget`;
  return wall ? `${visitor.api}/v1/walls/${wall}/widget` : `${visitor.api}/v1/products/${payload.product.id}/widget`;
}

/**
 * Follows what an element shows, until it shows something else or is taken out of the page.
 * @param {Shown} shown
 */
export function follow(shown) {
  const address = addressOf(shown);
  showing.set(shown.element, shown);
  const live = address.includes("/v1/walls/") ? address.replace(/widget$/, "live") : undefined;
  const source = sources.get(address) ?? new Source(address, live);
  sources.set(address, source);
  source.add(shown.element);
}

/** @param {(source: Source) => void} how */
const each = (how) => sources.forEach(how);
const turn = () => each((source) => (hidden() ? source.rest() : source.go()));
document.addEventListener("visibilitychange", turn);
// A page that is kept for going back to must not hold a line.
addEventListener("pagehide", () => each((source) => source.rest()));
addEventListener("pageshow", turn);

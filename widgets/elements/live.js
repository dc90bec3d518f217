/**
 * Likes as they come, in all open walls: two streams a page (browsers open six connections to a server, and the host's
 * page needs them too), for the walls that ask first. What they say of a product is handed on to whatever else shows
 * it; for the rest, and where a stream is refused, the payload is asked for from time to time. All is still while the
 * page is hidden.
 */
import { offer } from "./news.js";
import { hidden } from "./sight.js";

/** @typedef {import("./types.js").Shown} Shown */
/** @typedef {Record<string, number>} Likes */

/** Milliseconds, give or take a fifth: not everybody at once after a server came back. */
const EVERY = 15_000;
/** Where a stream is refused, the first question comes sooner. */
const SOON = 3000;
const MOST_STREAMS = 2;
/** After so many times of asking, a stream is tried again. */
const AGAIN = 20;

/** @type {Map<string, Source>} by address */
const sources = new Map();

/** @type {WeakMap<Element, Shown>} what an element shows now */
const showing = new WeakMap();

/** @type {Set<Source>} those that have a stream */
const streaming = new Set();

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
    this.origin = new URL(payload).origin;
    this.live = live;
  }

  /** @param {Element} element */
  add(element) {
    if (![...this.#followers].some((one) => one.deref() === element)) this.#followers.add(new WeakRef(element));
    this.go();
  }

  /** Goes on where it was, if anybody is there to see it. */
  go() {
    if (!this.#shown().length) return this.rest();
    if (this.#stream || this.#timer || hidden() || this.#gone) return;
    if (this.live && !this.#refused && streaming.size < MOST_STREAMS) this.#open();
    else this.#wait();
  }

  /** Leaves the line; `go` takes it up again. */
  rest() {
    this.#stream?.close();
    this.#stream = null;
    streaming.delete(this);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** What follows: also what a page has taken out for a while, and may put back. */
  #followed() {
    const followed = [];
    for (const one of this.#followers) {
      const element = one.deref();
      const what = element && showing.get(element);
      if (!what || addressOf(what) !== this.payload) this.#followers.delete(one);
      else followed.push(what);
    }
    return followed;
  }

  #shown() {
    return this.#followed().filter(({ element }) => element.isConnected);
  }

  #wait(time = EVERY) {
    this.#timer = setTimeout(() => this.#poll(), time * (0.8 + Math.random() * 0.4));
  }

  /** No stream for this one. Everybody was refused at the same moment: they do not ask again at the same moment. */
  #refuse() {
    this.rest();
    this.#refused = true;
    this.#wait(SOON);
  }

  #open() {
    streaming.add(this);
    const stream = new EventSource(`${this.live}${this.#position && `?after=${encodeURIComponent(this.#position)}`}`);
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
      each((other) => other !== this && other.origin === this.origin && other.#count(likes, false));
      this.#added(shown ?? []);
    });
    on("cards", ({ added }) => this.#added(added));
    on("share", () => {}); // Shows nothing, and yet the line speaks, and it is from here that one goes on.
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
    for (const { place, payload } of this.#followed()) {
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

/** @param {Shown} shown */
function addressOf({ payload, place: { visitor, wall } }) {
  if ("cards" in payload) return `${visitor.api}/v1/walls/${payload.wall.id}/widget`;
  return wall ? `${visitor.api}/v1/walls/${wall}/widget` : `${visitor.api}/v1/products/${payload.product.id}/widget`;
}

/** An element that is taken out of the page and put back, or hidden and shown, gets another size. */
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const shown = showing.get(target);
    if (shown) sources.get(addressOf(shown))?.add(target);
  }
});

/**
 * Follows what an element shows, until it shows something else; out of the page it rests.
 * @param {Shown} shown
 */
export function follow(shown) {
  const address = addressOf(shown);
  showing.set(shown.element, shown);
  sizes.observe(shown.element);
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

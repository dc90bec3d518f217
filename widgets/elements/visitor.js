/**
 * One browser on one site, towards one merchant, as this page remembers it: token, click, likes. What it asks of the
 * server, and what it then takes note of, is in acting.js, which is fetched after the first paint. Knows no page.
 */
import { Problem } from "./api.js";
import { keep, recall } from "./store.js";

const CLICK_LIVES = 30 * 24 * 3600 * 1000;

export class Visitor {
  /** @type {Promise<import("./acting.js").Acting> | null} */
  #acting = null;

  /**
   * @param {string} api origin of the server
   * @param {string} merchant
   */
  constructor(api, merchant) {
    this.api = api;
    this.scope = `grapevine:${new URL(api).host}:${merchant}:`;
  }

  /**
   * @param {"visitor" | "click" | "likes" | "consent" | "out"} name
   * @returns {any}
   */
  recall(name) {
    return recall(this.scope + name);
  }

  /**
   * @param {"visitor" | "click" | "likes" | "consent" | "out"} name
   * @param {unknown} value
   */
  keep(name, value) {
    keep(this.scope + name, value);
  }

  /** The signed token that proves who this is; the server gives it. @type {string | null} */
  get token() {
    return this.recall("visitor");
  }

  /** The click that led here. @type {import("./types.js").KeptArrival | null} */
  get arrival() {
    return this.recall("click");
  }

  /** The kept click id, while it may earn credit. */
  get click() {
    const { arrival } = this;
    return (arrival && Date.now() - arrival.at < CLICK_LIVES && arrival.id) || null;
  }

  /**
   * The like that stands, or "".
   * @param {string} product
   * @param {string} [wall]
   * @returns {string}
   */
  liked(product, wall = "") {
    return this.recall("likes")?.[`${product} ${wall}`] ?? "";
  }

  /**
   * What this visitor does on the server.
   * @throws {Problem} when that cannot be loaded
   */
  async act() {
    this.#acting ??= import("./acting.js").then(({ Acting }) => new Acting(this));
    try {
      return await this.#acting;
    } catch {
      this.#acting = null;
      throw new Problem(0, "unreachable");
    }
  }
}

/** @type {Map<string, Visitor>} */
const visitors = new Map();

/**
 * The visitor of this page towards a merchant: one, however many elements stand on it.
 * @param {string} api
 * @param {string} [merchant]
 */
export function visitorOf(api, merchant = "") {
  const key = `${api} ${merchant}`;
  const visitor = visitors.get(key) ?? new Visitor(api, merchant);
  visitors.set(key, visitor);
  return visitor;
}

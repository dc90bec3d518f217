/**
 * One browser on one site, towards one merchant, as this page remembers it: token, click, likes. What it asks of the
 * server is in acting.js, which is fetched after the first paint. Knows no page.
 */
import { Problem } from "./api.js";
import { keep, recall } from "./store.js";

const CLICK_LIVES = 30 * 24 * 3600 * 1000;
const MOST_LIKES = 500;

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

  /** The signed token that proves who this is; the server gives it. @type {string | null} */
  get token() {
    return recall(`${this.scope}visitor`);
  }

  set token(token) {
    keep(`${this.scope}visitor`, token);
  }

  /** The click that led here. @type {import("./types.js").KeptArrival | null} */
  get arrival() {
    return recall(`${this.scope}click`);
  }

  set arrival(arrival) {
    keep(`${this.scope}click`, arrival);
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
    return recall(`${this.scope}likes`)?.[`${product} ${wall}`] ?? "";
  }

  /**
   * @param {string} product
   * @param {string} [wall]
   * @param {string} [id] none: taken back
   */
  noteLike(product, wall = "", id) {
    const name = `${this.scope}likes`;
    const key = `${product} ${wall}`;
    const others = Object.entries(recall(name) ?? {}).filter(([liked]) => liked !== key);
    keep(name, Object.fromEntries([...others, ...(id ? [[key, id]] : [])].slice(-MOST_LIKES)));
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

/**
 * What a visitor does on the server: claim the visit, like, share, go to the till. Knows the public calls of the
 * contract; knows no page. Fetched after the first paint.
 */
import { Problem, request } from "./api.js";

/** Who asked not to be followed is not joined to a visit; the click id still goes with a purchase. */
const unfollowed = () =>
  /** @type {any} */ (navigator).globalPrivacyControl === true || navigator.doNotTrack === "1";

/** A key for one attempt. `randomUUID` is missing on pages without TLS. */
const attempt = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

/** @param {unknown} error */
const status = (error) => (error instanceof Problem ? error.status : 0);

export class Acting {
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** @type {Map<string, string>} attempts of a checkout without an answer yet, by variant */
  #attempts = new Map();
  /** @type {string | null} the click whose claim is under way */
  #claiming = null;

  /** @param {import("./visitor.js").Visitor} visitor */
  constructor(visitor) {
    this.visitor = visitor;
  }

  /**
   * Takes note of the click that led here and claims what is not claimed yet. Never throws.
   * @param {import("./types.js").Arrival | null} arrival
   */
  async arrive(arrival) {
    const { visitor } = this;
    const before = visitor.arrival;
    if (arrival && arrival.at > (before?.seen ?? 0)) {
      visitor.arrival = { ...arrival, seen: arrival.at, claimed: false };
    }
    const kept = visitor.arrival;
    if (!visitor.click || !kept || kept.claimed || kept.id === this.#claiming || unfollowed()) return;
    this.#claiming = kept.id;
    try {
      const answer = await this.#send("POST", `/v1/visits/${kept.id}/claim`);
      visitor.arrival = { ...kept, id: answer.click, claimed: true };
    } catch (error) {
      const refused = status(error);
      // A click of another merchant on the same site: what was kept for this one stays.
      if (refused === 404) visitor.arrival = { id: "", at: 0, ...before, seen: kept.seen, claimed: true };
      else if (refused && refused !== 429 && refused < 500) visitor.arrival = { ...kept, claimed: true };
      // Else nothing is known: the next page asks again.
    }
    this.#claiming = null;
  }

  /**
   * @param {string} product
   * @param {string} [wall]
   * @returns {Promise<import("./types.js").Liked>}
   */
  async like(product, wall) {
    const liked = await this.#send("POST", "/v1/likes", () => ({ product, wall, via: this.#via }));
    this.visitor.noteLike(product, wall, liked.id);
    return liked;
  }

  /**
   * @param {string} product
   * @param {string} [wall]
   */
  async unlike(product, wall) {
    const id = this.visitor.liked(product, wall);
    try {
      if (id) await this.#send("DELETE", `/v1/likes/${id}`);
    } catch (error) {
      if (status(error) !== 404) throw error; // Gone already is gone.
    }
    this.visitor.noteLike(product, wall);
  }

  /**
   * @param {import("./types.js").Share} share
   * @returns {Promise<import("./types.js").Shared>}
   */
  share(share) {
    return this.#send("POST", "/v1/shares", () => ({ ...share, via: this.#via }));
  }

  /**
   * The address where this variant is paid. The same attempt, repeated, is one checkout.
   * @param {string} variant
   * @param {string} [wall]
   * @returns {Promise<string>}
   */
  async checkout(variant, wall) {
    const key = this.#attempts.get(variant) ?? attempt();
    this.#attempts.set(variant, key);
    const body = () => ({ items: [{ variant, quantity: 1 }], wall, click: this.#via });
    try {
      const { url } = await this.#send("POST", "/v1/checkouts", body, { "Idempotency-Key": key });
      this.#attempts.delete(variant);
      return url;
    } catch (error) {
      // An answer, even "no", ends the attempt; silence does not: it may have been carried out.
      if (status(error)) this.#attempts.delete(variant);
      throw error;
    }
  }

  get #via() {
    return this.visitor.click ?? undefined;
  }

  /**
   * One call at a time, so that the token and the click which the first answer brings are those of all that follow.
   * @param {string} method
   * @param {string} path
   * @param {() => object} [body] made when its turn comes
   * @param {Record<string, string>} [headers]
   */
  #send(method, path, body, headers) {
    const answer = this.#turn.then(() => this.#ask(method, path, body?.(), headers));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {Record<string, string>} [headers]
   */
  async #ask(method, path, body, headers) {
    const { visitor } = this;
    const { token } = visitor;
    /** @type {Record<string, string>} */
    const proof = token ? { "Grapevine-Visitor": token } : {};
    const answer = await request(method, visitor.api + path, body, { ...headers, ...proof });
    if (answer?.visitor && answer.visitor !== token) visitor.token = answer.visitor;
    return answer;
  }
}

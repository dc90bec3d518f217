/**
 * What a visitor does on the server: claim the visit, like, share, go to the till. Knows the public calls of the
 * contract; knows no page. Fetched after the first paint.
 */
import { Problem, request } from "./api.js";
import { everywhere, out, unfollowed } from "./choices.js";

const MOST_LIKES = 500;

/** Where click.js keeps what the address said. */
const LANDED = "grapevine:arrival";

/** A key for one attempt. `randomUUID` is missing on pages without TLS. */
const attempt = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

/** @param {unknown} error */
const status = (error) => (error instanceof Problem ? error.status : 0);

export class Acting {
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** @type {Map<string, string>} keys of checkouts without an answer yet, by what is wanted */
  #attempts = new Map();
  /** @type {string | null} the click whose claim is under way */
  #claiming = null;

  /** @param {import("./visitor.js").Visitor} visitor */
  constructor(visitor) {
    this.visitor = visitor;
  }

  /**
   * Takes note of the click that led here and claims what is not claimed yet; deletes what is too old. Never throws.
   * @param {import("./types.js").Arrival | null} arrival
   */
  async arrive(arrival) {
    const { visitor } = this;
    const before = visitor.arrival;
    if (arrival && arrival.at > (before?.seen ?? 0)) {
      visitor.keep("click", { ...arrival, seen: arrival.at, claimed: false });
    }
    const kept = visitor.arrival;
    if (kept?.id && !visitor.click) this.#forget(kept);
    this.#leave().catch(() => {});
    if (!visitor.click || !kept || kept.claimed || kept.id === this.#claiming || unfollowed(visitor)) return;
    this.#claiming = kept.id;
    try {
      const answer = await this.#send("POST", `/v1/visits/${kept.id}/claim`);
      visitor.keep("click", { ...kept, id: answer.click, claimed: true, bound: answer.bound });
    } catch (error) {
      const refused = status(error);
      // A click of another merchant on the same site: what was kept for this one stays.
      if (refused === 404) visitor.keep("click", { id: "", at: 0, ...before, seen: kept.seen, claimed: true });
      else if (refused && refused !== 429 && refused < 500) visitor.keep("click", { ...kept, claimed: true });
      // Else nothing is known: the next page asks again.
    }
    this.#claiming = null;
  }

  /**
   * Deletes a click that is too old to earn credit, here and where click.js keeps what the address said.
   * @param {import("./types.js").KeptArrival} kept
   */
  #forget(kept) {
    this.visitor.keep("click", { ...kept, id: "" });
    try {
      const landed = JSON.parse(localStorage.getItem(LANDED) ?? "null");
      if (landed && landed.at <= kept.at) localStorage.removeItem(LANDED);
    } catch {
      // Where storage is refused, nothing grows that old.
    }
  }

  /**
   * @param {string} product
   * @param {string} [wall]
   * @returns {Promise<import("./types.js").Liked>}
   */
  async like(product, wall) {
    const liked = await this.#send("POST", "/v1/likes", () => ({ product, wall, via: this.#via }));
    this.#note(product, wall, liked.id);
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
    this.#note(product, wall);
  }

  /**
   * @param {string} product
   * @param {string} [wall]
   * @param {string} [id] of the like; none: taken back
   */
  #note(product, wall = "", id) {
    const key = `${product} ${wall}`;
    const others = Object.entries(this.visitor.recall("likes") ?? {}).filter(([liked]) => liked !== key);
    this.visitor.keep("likes", Object.fromEntries([...others, ...(id ? [[key, id]] : [])].slice(-MOST_LIKES)));
  }

  /**
   * @param {import("./types.js").Share} share
   * @returns {Promise<import("./types.js").Shared>}
   */
  share(share) {
    return this.#send("POST", "/v1/shares", () => ({ ...share, via: share.via ?? this.#via }));
  }

  /**
   * The address where so many of this variant are paid. The same attempt, repeated, is one checkout; another quantity
   * is another one, and so is the same after a new visit.
   * @param {string} variant
   * @param {number} quantity
   * @param {string} [wall]
   * @returns {Promise<string>}
   */
  async checkout(variant, quantity, wall) {
    let wanted = "";
    const body = () => ({ items: [{ variant, quantity }], wall, click: this.#via });
    // Known when its turn comes: a claim that goes before it may bring another click.
    const key = () => {
      wanted = JSON.stringify(body());
      this.#attempts.set(wanted, this.#attempts.get(wanted) ?? attempt());
      return { "Idempotency-Key": /** @type {string} */ (this.#attempts.get(wanted)) };
    };
    try {
      const { url } = await this.#send("POST", "/v1/checkouts", body, key);
      this.#attempts.delete(wanted);
      return url;
    } catch (error) {
      // An answer, even "no", ends the attempt; silence does not: it may have been carried out.
      if (status(error)) this.#attempts.delete(wanted);
      throw error;
    }
  }

  /**
   * Tells the server that the person agreed to this version of the page's words, once; then the visit that led here may
   * be theirs.
   * @param {string} version
   * @param {boolean} [anew] also where that was withdrawn before
   */
  async consent(version, anew) {
    const { visitor } = this;
    const given = visitor.recall("consent");
    if (!version || unfollowed(visitor) || (given?.version === version && (given.id || !anew))) return;
    const { id } = await this.#send("POST", "/v1/consents", () => ({ merchant: visitor.scope.split(":").at(-2), version }));
    if (!id) return; // Nothing is kept of them, whatever they say now.
    visitor.keep("consent", { version, id });
    const { arrival } = visitor;
    if (arrival?.bound === false) visitor.keep("click", { ...arrival, claimed: false });
    await this.arrive(null);
  }

  /** Withdraws what was agreed to. The same version is not agreed to again but by a call. */
  async withdraw() {
    const { visitor } = this;
    const given = visitor.recall("consent");
    if (!given?.id) return;
    try {
      await this.#send("DELETE", `/v1/consents/${given.id}`);
    } catch (error) {
      if (status(error) !== 404) throw error;
    }
    visitor.keep("consent", { ...given, id: "" });
  }

  /** From now on nothing is remembered of this person: here at once, and on the server. */
  async optOut() {
    this.visitor.keep("out", { told: false });
    await this.#leave();
  }

  async comeBack() {
    const { visitor } = this;
    visitor.keep("out", null);
    everywhere(visitor).keep("out", null);
    if (visitor.token) await this.#send("DELETE", "/v1/me/opt-out");
  }

  /** Tells the server who opted out, if it does not know. */
  async #leave() {
    const { visitor } = this;
    const { token } = visitor;
    if (!token || out(visitor)?.told !== false) return;
    try {
      await this.#send("POST", "/v1/me/opt-out");
    } catch (error) {
      if (status(error) !== 401) throw error;
      if (visitor.token === token) visitor.keep("visitor", null); // It is nobody's any more.
    }
    visitor.keep("out", { told: true });
  }

  get #via() {
    return this.visitor.click ?? undefined;
  }

  /**
   * One call at a time, so that the token and the click which the first answer brings are those of all that follow.
   * @param {string} method
   * @param {string} path
   * @param {() => object} [body] made when its turn comes
   * @param {() => Record<string, string>} [headers] likewise
   */
  #send(method, path, body, headers) {
    const answer = this.#turn.then(() => this.#ask(method, path, body?.(), headers?.()));
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
    if (answer?.visitor && answer.visitor !== token) {
      visitor.keep("visitor", answer.visitor);
      if (out(visitor)) this.optOut().catch(() => {}); // Somebody new to the server, and the same person.
    }
    return answer;
  }
}

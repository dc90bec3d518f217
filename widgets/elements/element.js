/**
 * What a wall and a product have in common: fetch the payload, show it, and leave the light DOM standing whenever that
 * cannot be done. Subclasses say what is fetched and what of it is shown; section.js shows it.
 */
import { HOME, request, web } from "./api.js";
import { adopt, el, tell } from "./dom.js";
import { MOST_AT_ONCE, shape, show } from "./section.js";
import { STYLES } from "./styles.js";

/** @typedef {import("./types.js").Common} Common */
/** @typedef {import("./types.js").View} View */

/** @template {Common} Payload */
export class GrapevineElement extends HTMLElement {
  static observedAttributes = ["wall", "product", "api", "layout", "quantity", "heading"];

  #root = this.attachShadow({ mode: "open" });
  #asked = "";

  /** The path of the payload; a subclass names it. */
  get path() {
    return "";
  }

  /** How the cards stand, as far as it is known before the payload is here. */
  get layout() {
    return "alone";
  }

  /**
   * What is shown of a payload; a subclass says it.
   * @param {Payload} payload
   * @returns {View}
   */
  view(payload) {
    throw new Error(`nothing to show of ${payload}`);
  }

  /** Origin of the server: the attribute `api`, else where this module came from. */
  get api() {
    return new URL(web(this.getAttribute("api")) || HOME).origin;
  }

  connectedCallback() {
    adopt(this.#root, STYLES);
    this.#load();
  }

  /** In another document all is done again: the sheets of this one are not taken along. */
  adoptedCallback() {
    this.#asked = "";
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#load();
  }

  async #load() {
    const asked = GrapevineElement.observedAttributes.map((name) => this.getAttribute(name)).join();
    if (!this.path || asked === this.#asked) return;
    this.#asked = asked;
    if (!this.#root.querySelector("section[lang]")) this.#root.replaceChildren(this.#room());
    try {
      const payload = await request("GET", this.api + this.path);
      if (asked === this.#asked) await show(this, this.#root, payload);
    } catch (problem) {
      if (asked !== this.#asked) return;
      this.#asked = "";
      this.#root.replaceChildren(el("slot"));
      tell(this, "error", { code: /** @type {import("./api.js").Problem} */ (problem).code ?? "" });
    }
  }

  /** What stands there until the payload is here: the fallback, and room for the cards where one knows how many. */
  #room() {
    const fallback = this.firstElementChild;
    const cards = this.layout === "single" ? 1 : Number(this.getAttribute("cards"));
    const room = el("div", "room", {}, fallback && el("slot"));
    if (cards || !fallback) {
      const bone = () => el("li", "card bone", {}, el("span", "media"), el("div", "body"));
      const bones = Array.from({ length: Math.min(MOST_AT_ONCE, cards || 1) }, bone);
      const section = el("section", "", { "aria-hidden": "true" }, el("ul", "cards", {}, ...bones));
      shape(this, section, this.layout);
      room.prepend(section);
    }
    return room;
  }
}

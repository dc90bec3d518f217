/**
 * What a wall and a product have in common: fetch the payload, show it in a shadow tree, speak to the person, and
 * leave the light DOM standing whenever that cannot be done. Subclasses say what is fetched and how it is laid out.
 */
import { HOME, request, web } from "./api.js";
import { ARRIVAL, clickId } from "./click.js";
import { el, inkOn, isColor } from "./dom.js";
import { readable } from "./price.js";
import { STYLES } from "./styles.js";
import { visitorOf } from "./visitor.js";

/** @typedef {import("./types.js").Common} Common */
/** @typedef {import("./types.js").Place} Place */

const SPEAKS_FOR = 6000;
const OPENED = Date.now();

/** @template {Common} Payload */
export class GrapevineElement extends HTMLElement {
  #root = this.attachShadow({ mode: "open" });
  #shown = "";
  #quiet = 0;

  /** The path of the payload; a subclass names it. */
  get path() {
    return "";
  }

  /** Origin of the server: the attribute `api`, else where this module came from. */
  get api() {
    return web(this.getAttribute("api")) ? new URL(this.getAttribute("api") ?? "").origin : HOME;
  }

  connectedCallback() {
    this.#root.adoptedStyleSheets = [STYLES];
    this.#load();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#load();
  }

  /**
   * The tree for a payload, inside `section`.
   * @param {Payload} payload
   * @param {HTMLElement} section
   * @param {(wall?: string) => Place} place
   */
  draw(payload, section, place) {}

  /** The class of the section that shows the payload. */
  get shape() {
    return this.getAttribute("layout") ?? "grid";
  }

  /** What keeps the room until the payload is here. */
  #bones() {
    const bone = () => el("li", "card bone", {}, el("span", "media"), el("div", "body"));
    const cards = Array.from({ length: Math.min(60, Number(this.getAttribute("cards") ?? 1)) }, bone);
    return el("section", this.shape, {}, el("ul", "cards", { "aria-hidden": "true" }, ...cards));
  }

  async #load() {
    const address = this.api + this.path;
    if (!this.path || address === this.#shown) return;
    this.#shown = address;
    // Whoever gave a fallback sees it until there is something better; else the room is kept.
    this.#root.replaceChildren(this.firstElementChild ? el("slot") : this.#bones());
    try {
      const payload = await request("GET", address);
      if (address === this.#shown) this.#show(payload);
    } catch (problem) {
      if (address !== this.#shown) return;
      this.#shown = "";
      this.#root.replaceChildren(el("slot"));
      this.#tell("error", { code: /** @type {import("./api.js").Problem} */ (problem).code ?? "" });
    }
  }

  /** @param {Payload} payload */
  #show(payload) {
    const visitor = visitorOf(this.api, payload.merchant);
    const section = el("section", "", { lang: payload.words.lang });
    const line = el("p", "message", { role: "status" });
    const say = (/** @type {string} */ text) => {
      line.textContent = text;
      clearTimeout(this.#quiet);
      this.#quiet = setTimeout(() => (line.textContent = ""), SPEAKS_FOR);
    };
    this.draw(payload, section, (wall) => this.#place(payload, section, visitor, say, wall));
    section.append(el("div", "say", {}, line));
    this.#root.replaceChildren(section);
    this.#tell("ready", {});
    visitor.act().then((acting) => acting.arrive(this.#arrival), () => {});
  }

  /**
   * @param {Payload} payload
   * @param {HTMLElement} section
   * @param {import("./visitor.js").Visitor} visitor
   * @param {(text: string) => void} say
   * @param {string} [wall]
   * @returns {Place}
   */
  #place({ words, networks }, section, visitor, say, wall) {
    /** @type {Place} */
    const place = {
      words,
      locales: readable(navigator.languages),
      heading: Math.min(6, Math.max(1, Number(this.getAttribute("heading")) || 2)),
      wall,
      visitor,
      say,
      tell: (name, detail) => this.#tell(name, detail),
      share: async (card) => {
        try {
          const { openSheet } = await import("./share.js");
          openSheet(this.#root, section, card, networks, place);
        } catch {
          say(words.error_offline);
        }
      },
    };
    return place;
  }

  /** A hosted page says in `click` by which visit it was opened; else the address did. */
  get #arrival() {
    const id = clickId(this.getAttribute("click"));
    return id ? { id, at: OPENED } : ARRIVAL;
  }

  /**
   * Events for the host's page: `grapevine-ready`, `-like`, `-share`, `-checkout` (can be refused), `-error`.
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    return this.dispatchEvent(
      new CustomEvent(`grapevine-${name}`, { detail, bubbles: true, composed: true, cancelable: name === "checkout" }),
    );
  }
}

/**
 * Gives `section` the merchant's own colours and corners.
 * @param {HTMLElement} section
 * @param {import("./types.js").Theme} theme
 */
export function applyTheme(section, { scheme, accent, radius }) {
  if (scheme) section.dataset.scheme = scheme;
  if (accent && isColor(accent)) {
    section.style.setProperty("--theme-accent", accent);
    section.style.setProperty("--theme-ink", inkOn(accent));
  }
  if (typeof radius === "number") section.style.setProperty("--theme-radius", `${radius}px`);
}

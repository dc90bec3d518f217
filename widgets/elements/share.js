/**
 * The share sheet: the device's own sheet, a link to copy, a QR code, and every network of the merchant. Loaded when
 * it is first used. Each way of sharing is a referral of its own, made by the server when the person chooses it and
 * never before; words and name go along only if the person wrote them.
 */
import { Problem, web } from "./api.js";
import { el, fill, icon, inkOn, isColor, sheet } from "./dom.js";
import { ICONS } from "./icons.js";
import { SHEET } from "./share-styles.js";

/** @typedef {import("./types.js").Card} Card */
/** @typedef {import("./types.js").Network} Network */
/** @typedef {import("./types.js").Place} Place */
/** @typedef {import("./types.js").Shared} Shared */

const STYLES = sheet(SHEET);

/** Ways that have a place of their own above the networks. */
const APART = ["device", "copy", "qr"];

/** White drawings are kept up to here: 3 to 1 is what WCAG asks of them. */
const ENOUGH = 0.3;

/** Opened by the device, not in a window. */
const APPS = ["email", "sms", "viber"];

/** These have no address that opens their form: the link is copied, and the person pastes it there. */
const PASTED = ["instagram", "tiktok", "messenger", "signal", "discord", "slack", "wechat", "youtube"];

/**
 * @param {ShadowRoot} root
 * @param {HTMLElement} section where the sheet hangs, and whose colours it takes
 * @param {Card} card
 * @param {Network[]} networks
 * @param {Place} place
 */
export function openSheet(root, section, card, networks, place) {
  if (!root.adoptedStyleSheets.includes(STYLES)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, STYLES];
  const dialog = new Sheet(card, networks, place).dialog;
  dialog.addEventListener("close", () => dialog.remove());
  section.append(dialog);
  dialog.showModal();
}

class Sheet {
  /**
   * @param {Card} card
   * @param {Network[]} networks
   * @param {Place} place
   */
  constructor(card, networks, place) {
    const { words } = place;
    this.card = card;
    this.place = place;
    this.status = el("p", "sheet-status", { role: "status" });
    this.caption = el("textarea", "field", { rows: 2, maxlength: 280, dir: "auto" });
    this.person = el("input", "field", { maxlength: 60, autocomplete: "nickname", dir: "auto" });
    this.field = el("input", "field", { readonly: true, dir: "ltr", "aria-label": words.share_link });
    this.result = el("div", "result", { hidden: true }, this.field);
    this.picture = el("img", "code", { alt: words.share_qr_alt, width: 200, height: 200, hidden: true });
    const title = el("h2", "sheet-title", { id: "sheet-title", dir: "auto" }, fill(words.share, card));
    const close = el("button", "close", { type: "button", "aria-label": words.close }, icon("M6 6l12 12M18 6 6 18"));
    const more = el(
      "details",
      "more",
      {},
      el("summary", "", {}, words.share_add),
      el("label", "", {}, words.share_caption, this.caption),
      el("label", "", {}, words.share_name, this.person),
      el("p", "hint", {}, words.share_hint),
    );
    const first = el("div", "ways", {}, ...this.#ownWays());
    const list = networks.filter(({ id }) => !APART.includes(id)).map((network) => el("li", "", {}, this.#button(network)));
    const all = el("ul", "networks", { role: "list", "aria-label": words.share_networks }, ...list);
    const parts = [el("header", "", {}, title, close), more, first, this.result, this.picture, all, this.status];
    this.dialog = el("dialog", "sheet", { "aria-labelledby": "sheet-title" }, el("div", "sheet-body", {}, ...parts));
    close.addEventListener("click", () => this.dialog.close());
    // A press beside the sheet meets the dialog itself: its body fills it.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Device, copy and QR. */
  #ownWays() {
    const { words } = this.place;
    const way = (/** @type {string} */ id, /** @type {string} */ text, /** @type {() => Promise<void>} */ act) => {
      const button = el("button", "way", { type: "button" }, icon(ICONS[id]), text);
      button.addEventListener("click", () => this.#try(button, act));
      return button;
    };
    return [
      typeof navigator.share === "function" && way("device", words.share_device, () => this.#device()),
      way("copy", words.share_copy, () => this.#copy("copy")),
      way("qr", words.share_qr, () => this.#qr()),
    ].filter((button) => button !== false);
  }

  /** @param {Network} network */
  #button(network) {
    const { words } = this.place;
    const drawing = ICONS[network.id];
    const dot = el("span", "dot", { "aria-hidden": "true" }, drawing ? icon(drawing) : [...network.name][0]);
    if (isColor(network.color)) {
      dot.style.setProperty("background", network.color);
      dot.style.setProperty("color", inkOn(network.color, ENOUGH));
    }
    const button = el("button", "network", { type: "button", "data-network": network.id });
    button.append(dot, words[`network_${network.id}`] ?? network.name);
    button.addEventListener("click", () => {
      // The window opens inside the press itself, or the browser takes it for a pop-up and blocks it.
      const needs = !APPS.includes(network.id) && !PASTED.includes(network.id);
      const tab = needs ? open("", "_blank") : null;
      this.#try(button, () => this.#pass(network, tab)).then((done) => done || tab?.close());
    });
    return button;
  }

  /**
   * @param {Network} network
   * @param {Window | null} tab
   */
  async #pass(network, tab) {
    if (PASTED.includes(network.id)) return this.#copy(network.id, network.name);
    const shared = await this.#share(network.id);
    const address = shared.intent_url ?? "";
    if (APPS.includes(network.id) && /^(mailto|sms|viber):/.test(address)) location.href = address;
    else if (tab && web(address)) {
      tab.opener = null;
      tab.location.replace(web(address));
    } else {
      tab?.close();
      this.#show(shared, web(address) ? network : undefined);
    }
  }

  async #device() {
    const shared = await this.#share("device");
    try {
      await navigator.share({ title: this.card.title, text: this.caption.value.trim() || undefined, url: shared.url });
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") this.#show(shared);
    }
  }

  /**
   * @param {string} network
   * @param {string} [name] where it is to be pasted
   */
  async #copy(network, name) {
    const { words } = this.place;
    const shared = await this.#share(network);
    this.#show(shared);
    this.field.select();
    try {
      await navigator.clipboard.writeText(shared.url);
      this.status.textContent = name ? fill(words.share_paste, { name }) : words.share_copied;
    } catch {
      this.status.textContent = words.share_copy_by_hand;
    }
  }

  async #qr() {
    const shared = await this.#share("qr");
    this.picture.src = `${this.place.visitor.api}/r/${encodeURIComponent(shared.code)}.svg`;
    this.picture.hidden = false;
    this.#show(shared);
  }

  /**
   * @param {Shared} shared
   * @param {Network} [blocked] whose window the browser refused: a link the person can press
   */
  #show(shared, blocked) {
    this.field.value = shared.url;
    this.result.hidden = false;
    this.result.querySelector("a")?.remove();
    if (!blocked) return;
    const text = fill(this.place.words.share_open, blocked);
    const attributes = { href: web(shared.intent_url), target: "_blank", rel: "noopener" };
    this.result.append(el("a", "continue", attributes, text));
  }

  /** @param {string} network */
  async #share(network) {
    const shared = await (await this.place.visitor.act()).share({
      product: this.card.id,
      wall: this.place.wall,
      network,
      caption: this.caption.value.trim() || undefined,
      name: this.person.value.trim() || undefined,
    });
    this.place.tell("share", { product: this.card.id, network, url: shared.url });
    return shared;
  }

  /**
   * Does `act` once at a time for a button; a "no" is said. Whether it was done.
   * @param {HTMLButtonElement} button
   * @param {() => Promise<void>} act
   */
  async #try(button, act) {
    if (button.ariaBusy === "true") return true;
    const { words } = this.place;
    button.ariaBusy = "true";
    this.status.textContent = "";
    try {
      await act();
      return true;
    } catch (error) {
      this.status.textContent = words[error instanceof Problem ? error.word : "error_other"];
      return false;
    } finally {
      button.ariaBusy = "false";
    }
  }
}

/**
 * The share sheet: the device's own sheet, a link to copy, a QR code, and every network of the merchant. Loaded when
 * it is first used. Each way of sharing is a referral of its own, made by the server when the person chooses it and
 * never before; words and name go along only if the person wrote them.
 */
import { Problem, web } from "./api.js";
import { clickId } from "./click.js";
import { inkOn, isColor } from "./colors.js";
import { adopt, el, fill, icon } from "./dom.js";
import { ICONS } from "./icons.js";
import { shortening } from "./limits.js";
import { SHEET } from "./share-styles.js";

/** @typedef {import("./types.js").Network} Network */
/** @typedef {import("./types.js").Shared} Shared */
/** @typedef {import("./types.js").Subject} Subject */
/** @typedef {Pick<import("./types.js").Place, "words" | "sharing" | "visitor" | "wall" | "tell">} Place */
/** @typedef {{title: string, id?: string}} Thing  what is shared, as it is called */

/** Ways that have a place of their own above the networks. */
const APART = ["device", "copy", "qr"];

/** White drawings are kept up to here: 3 to 1 is what WCAG asks of them. */
const ENOUGH = 0.3;

/** Opened by the device, not in a window. */
const APPS = ["email", "sms", "viber"];

/** These have no address that opens their form: the link is copied, and the person pastes it there. */
const PASTED = ["instagram", "tiktok", "messenger", "signal", "discord", "slack", "wechat", "youtube"];

/** Characters of a link's path: `/r/` and the code. */
const PATH = 12;

/**
 * Opens the sheet, once: the press of a button that is hidden by it does nothing.
 * @param {ShadowRoot} root
 * @param {HTMLElement} section where the sheet hangs, and whose colours it takes
 * @param {Thing} thing
 * @param {Network[]} networks
 * @param {Place} place
 * @param {Subject} [subject] what the server is told; default: the product, on this wall
 */
export function openSheet(root, section, thing, networks, place, subject = { product: thing.id, wall: place.wall }) {
  const other = root.querySelector("dialog");
  if (other?.matches(":modal")) return;
  other?.remove(); // It was moved with its element, which nobody sees: no sheet any more.
  adopt(root, SHEET);
  const opener = /** @type {HTMLElement | null} */ (root.activeElement);
  // A page that knows whose word brought its reader says so; it is theirs who shares only if nothing is known of them.
  const via = clickId(root.host.getAttribute("via")) ?? undefined;
  const dialog = new Sheet(thing, { ...subject, via }, networks, place).dialog;
  const end = keep(root, dialog);
  dialog.addEventListener("close", () => {
    end();
    dialog.remove();
    // The card may have been drawn anew in the meantime.
    const again = thing.id && root.querySelector(`[data-product="${CSS.escape(thing.id)}"] .share`);
    const back = opener?.isConnected || !again ? opener : /** @type {HTMLElement} */ (again);
    back?.focus();
  });
  section.append(dialog);
  dialog.showModal();
}

/**
 * Keeps the sheet, and what is written in it, when the element shows something else. What is returned ends it.
 * @param {ShadowRoot} root
 * @param {HTMLDialogElement} dialog
 */
function keep(root, dialog) {
  /** @type {HTMLElement | null} */
  let focused = null;
  const changed = () => {
    const section = root.querySelector("section");
    if (root.contains(dialog)) return;
    if (!section) return watch.disconnect();
    const before = focused;
    dialog.open = false;
    section.append(dialog);
    dialog.showModal();
    before?.focus();
  };
  const watch = new MutationObserver(changed);
  watch.observe(root, { childList: true });
  dialog.addEventListener("focusin", ({ target }) => (focused = /** @type {HTMLElement} */ (target)));
  return () => watch.disconnect();
}

class Sheet {
  /**
   * @param {Thing} thing
   * @param {Subject & {via?: string}} subject
   * @param {Network[]} networks
   * @param {Place} place
   */
  constructor(thing, subject, networks, place) {
    const { words } = place;
    this.thing = thing;
    this.subject = subject;
    this.networks = networks;
    this.place = place;
    this.status = el("p", "sheet-status", { role: "status" });
    this.cut = el("p", "hint", { role: "status" });
    this.caption = el("textarea", "field", { rows: 2, maxlength: 500, dir: "auto" });
    this.caption.addEventListener("input", () => this.#warn());
    this.person = el("input", "field", { maxlength: 60, autocomplete: "nickname", dir: "auto" });
    this.field = el("input", "field", { readonly: true, dir: "ltr", "aria-label": words.share_link });
    this.result = el("div", "result", { hidden: true }, this.field);
    this.picture = el("img", "code", { alt: words.share_qr_alt, width: 200, height: 200, hidden: true });
    const title = el("h2", "sheet-title", { id: "sheet-title", dir: "auto" }, fill(words.share, thing).trim());
    const close = el("button", "close", { type: "button", "aria-label": words.close }, icon("M6 6l12 12M18 6 6 18"));
    const more = el(
      "details",
      "more",
      {},
      el("summary", "", {}, words.share_add),
      el("label", "", {}, words.share_caption, this.caption),
      this.cut,
      el("label", "", {}, words.share_name, this.person),
      el("p", "hint", {}, words.share_hint),
    );
    const first = el("div", "ways", {}, ...this.#ownWays());
    const others = networks.filter(({ id }) => !APART.includes(id));
    const list = others.map((network) => el("li", "", {}, this.#button(network)));
    const all = list.length > 0 && el("ul", "networks", { role: "list", "aria-label": words.share_networks }, ...list);
    const head = el("header", "", {}, title, close);
    const parts = [head, this.#reward(), more, first, this.result, this.picture, all, this.status];
    this.dialog = el("dialog", "sheet", { "aria-labelledby": "sheet-title" }, el("div", "sheet-body", {}, ...parts));
    close.addEventListener("click", () => this.dialog.close());
    // A press beside the sheet meets the dialog itself: its body fills it.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  /** Said before anything is shared: that it may be rewarded, and where the terms are. */
  #reward() {
    const { words, sharing } = this.place;
    const terms = web(sharing?.terms);
    const more = terms && el("a", "", { href: terms, target: "_blank", rel: "noopener" }, words.share_terms);
    return sharing?.rewarded && el("p", "reward", {}, words.share_rewarded, more && " ", more || null);
  }

  /** Says beforehand which networks will shorten what was written. */
  #warn() {
    const { words, visitor } = this.place;
    const short = shortening(this.caption.value.trim(), visitor.api.length + PATH, this.networks);
    const names = new Intl.ListFormat(words.lang).format(short.map((network) => network.name));
    this.cut.textContent = names && fill(words.share_cut, { names });
  }

  /** Device, copy and QR, where the merchant offers them. */
  #ownWays() {
    const { words } = this.place;
    const way = (/** @type {string} */ id, /** @type {string} */ text, /** @type {() => Promise<void>} */ act) => {
      const button = el("button", "way", { type: "button", autofocus: true }, icon(ICONS[id]), text);
      button.addEventListener("click", () => this.#try(button, act));
      return button;
    };
    const offered = (/** @type {string} */ id) => this.networks.some((network) => network.id === id);
    const device = offered("device") && typeof navigator.share === "function";
    return [
      device && way("device", words.share_device, () => this.#device()),
      offered("copy") && way("copy", words.share_copy, () => this.#copy("copy")),
      offered("qr") && way("qr", words.share_qr, () => this.#qr()),
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
    if (APPS.includes(network.id) && /^(mailto|sms|viber):/.test(address)) {
      location.href = address;
      this.#show(shared); // Where no app takes it, nothing else is seen.
    } else if (tab && web(address)) {
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
      await navigator.share({ title: this.thing.title, text: this.caption.value.trim() || undefined, url: shared.url });
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
    this.picture.scrollIntoView({ block: "nearest" });
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
      ...this.subject,
      network,
      caption: this.caption.value.trim() || undefined,
      name: this.person.value.trim() || undefined,
    });
    const { product, url: page } = /** @type {{product?: string, url?: string}} */ (this.subject);
    this.place.tell("share", { product, page, network, url: shared.url });
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

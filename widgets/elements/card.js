/**
 * Draws one card: picture, title, price, variants, like, share, buy. Knows where it stands only by its `Place`.
 */
import { web } from "./api.js";
import { clickId, withClick } from "./click.js";
import { el, fill, icon } from "./dom.js";
import { likeButton } from "./like.js";
import { price } from "./price.js";

/** @typedef {import("./types.js").Card} Card */
/** @typedef {import("./types.js").Place} Place */
/** @typedef {import("./types.js").Variant} Variant */

const SHARE = "M12 15V3m0 0L8 7m4-4 4 4M6 11H5v9h14v-9h-1";

/** Pictures that are likely on the first screen are not put off. */
const EAGER = 4;

/**
 * @param {Card} card
 * @param {Place} place
 * @param {number} [index] its place in the order
 * @param {boolean} [whole] with its description
 */
export function drawCard(card, place, index = 0, whole = false) {
  const { words } = place;
  const href = web(card.url);
  let chosen = card.variants.find((variant) => variant.available) ?? card.variants[0];
  const cost = el("p", "price");
  const buy = buyButton(card, place, () => chosen);

  function draw() {
    drawPrice(cost, chosen ?? card, place);
    buy.disabled = card.sold_out || !chosen?.available || !chosen.price;
    buy.textContent = card.sold_out || (chosen && !chosen.available) ? words.sold_out : words.buy;
  }

  const share = el("button", "share", { type: "button", "aria-label": fill(words.share, card) }, icon(SHARE));
  share.addEventListener("click", () => place.share(card));
  draw();

  return el(
    "li",
    card.sold_out ? "card gone" : "card",
    { "data-product": card.id },
    media(card, href, place, index),
    el(
      "div",
      "body",
      {},
      el(/** @type {"h3"} */ (`h${place.heading}`), "title", {}, link(href, place, { dir: "auto" }, card.title)),
      cost,
      whole && card.description && el("p", "description", { dir: "auto" }, card.description),
      card.variants.length > 1 &&
        variantSelect(card, words, chosen, (variant) => {
          chosen = variant;
          draw();
        }),
      el("div", "actions", {}, buy, share),
    ),
    // Last in the tree, so that who tabs or listens meets the product before its heart.
    likeButton(card, place),
  );
}

/**
 * A link to the hosted page. The click id joins at the moment of going, so that a copied address carries none.
 * @param {string} href
 * @param {Place} place
 * @param {Record<string, string | number | boolean>} attributes
 * @param {...(Node | string | null | false)} children
 */
function link(href, { visitor }, attributes, ...children) {
  const node = el("a", "", { href: href || null, ...attributes }, ...children);
  const go = () => {
    if (href) node.href = withClick(href, clickId(visitor.click));
  };
  node.addEventListener("click", go);
  node.addEventListener("auxclick", go);
  return node;
}

/**
 * @param {Card} card
 * @param {string} href
 * @param {Place} place
 * @param {number} index
 */
function media(card, href, place, index) {
  const src = web(card.image);
  const image =
    src &&
    el("img", "image", { alt: "", width: 600, height: 600, decoding: "async", loading: index < EAGER ? "eager" : "lazy" });
  if (image) {
    image.addEventListener("error", () => image.remove());
    image.src = src;
  }
  // The title is the same link in words: one stop of the Tab key is enough.
  const node = link(href, place, { tabindex: -1, "aria-hidden": "true" }, image || null);
  node.className = "media";
  node.part.add("media");
  node.dataset.initial = image ? "" : [...card.title][0] ?? "";
  if (card.sold_out) node.append(el("span", "badge", {}, place.words.sold_out));
  return node;
}

/**
 * @param {HTMLElement} cost
 * @param {{price: import("./types.js").Money | null, compare_at: import("./types.js").Money | null}} offer
 * @param {Place} place
 */
function drawPrice(cost, { price: now, compare_at: was }, { words, locales }) {
  const less = now && was && was.currency === now.currency && was.amount > now.amount;
  cost.replaceChildren(
    el("span", "now", {}, less && el("span", "hidden", {}, `${words.price_now} `), now ? price(now, locales) : "\u00a0"),
  );
  if (less) {
    cost.append(el("span", "was", {}, el("span", "hidden", {}, `${words.price_was} `), price(was, locales)));
  }
}

/**
 * @param {Card} card
 * @param {import("./types.js").Words} words
 * @param {Variant} chosen
 * @param {(variant: Variant) => void} choose
 */
function variantSelect(card, words, chosen, choose) {
  const select = el("select", "select", { "aria-label": fill(words.option, card) });
  for (const variant of card.variants) {
    const text = variant.available ? variant.title : `${variant.title} – ${words.sold_out}`;
    select.add(new Option(text, variant.id, false, variant === chosen));
  }
  select.addEventListener("change", () => choose(card.variants[select.selectedIndex]));
  return select;
}

/**
 * @param {Card} card
 * @param {Place} place
 * @param {() => Variant | undefined} variant
 */
function buyButton(card, { words, visitor, wall, say, tell }, variant) {
  const button = el("button", "buy", { type: "button" });
  const busy = (/** @type {boolean} */ is) => (button.ariaBusy = String(is));
  button.addEventListener("click", async () => {
    const chosen = variant();
    if (!chosen || button.ariaBusy === "true") return;
    if (!tell("checkout", { product: card.id, variant: chosen.id })) return;
    busy(true);
    try {
      const stays = leave(await (await visitor.act()).checkout(chosen.id, wall));
      if (stays) busy(false);
      else addEventListener("pageshow", () => busy(false), { once: true }); // Back again, from the page cache.
    } catch (problem) {
      busy(false);
      say(words[/** @type {import("./api.js").Problem} */ (problem).word] ?? words.error_other);
    }
  });
  return button;
}

/**
 * To the till, at the top: a payment page refuses to be framed. Whether this page stays, since a sandbox holds it
 * and the till has a window of its own.
 * @param {string} url
 * @throws {Error} when there is no way to the till
 */
function leave(url) {
  const address = web(url);
  if (!address) throw new Error("no address");
  try {
    /** @type {Window} */ (top).location.href = address;
    return false;
  } catch {
    const till = open("", "_blank");
    if (!till) throw new Error("held in a sandbox");
    till.opener = null;
    till.location.replace(address);
    return true;
  }
}

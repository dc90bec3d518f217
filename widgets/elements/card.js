/**
 * Draws one card: picture, title, price, variants, like, share, buy. Knows where it stands only by its `Place`.
 */
import { web } from "./api.js";
import { el, fill, icon } from "./dom.js";
import { likeButton } from "./like.js";
import { price } from "./price.js";

/** @typedef {import("./types.js").Card} Card */
/** @typedef {import("./types.js").Place} Place */
/** @typedef {import("./types.js").Variant} Variant */

export const SHARE = "M12 15V3m0 0L8 7m4-4 4 4M6 11H5v9h14v-9h-1";

/** Pictures that are likely on the first screen are not put off. */
const EAGER = 4;

/** Pieces that can be chosen at once. */
const MOST = 99;

/**
 * @param {Card} card
 * @param {Place} place
 * @param {number} at its place in the order
 */
export function drawCard(card, place, at) {
  const { words } = place;
  const href = web(card.url);
  const heading = /** @type {"h3"} */ (`h${place.heading}`);
  let chosen = card.variants.find((variant) => variant.available) ?? card.variants[0];
  const cost = el("p", "price");
  const amount = el("input", "quantity", { type: "number", min: 1, max: MOST, value: 1, required: true });
  const buy = buyButton(card, place, () => amount.reportValidity() && [chosen, amount.valueAsNumber]);
  const share = el("button", "share", { type: "button", "aria-label": fill(words.share, card) }, icon(SHARE));

  function draw() {
    const none = card.sold_out || (chosen && !chosen.available);
    drawPrice(cost, chosen ?? card, place);
    buy.disabled = none || !chosen?.price;
    buy.textContent = none ? words.sold_out : words.buy;
    buy.ariaLabel = `${buy.textContent}: ${card.title}`;
  }

  const select = card.variants.length > 1 && variantSelect(card, words, chosen);
  if (select) {
    select.addEventListener("change", () => {
      chosen = card.variants[select.selectedIndex];
      draw();
    });
  }
  amount.ariaLabel = fill(words.quantity, card);
  share.addEventListener("click", () => place.share(card));
  draw();

  return el(
    "li",
    card.sold_out ? "card gone" : "card",
    { "data-product": card.id },
    media(card, href, place, at),
    el(
      "div",
      "body",
      {},
      el(heading, "title", {}, el("a", "", { href: href || null, dir: "auto" }, card.title)),
      cost,
      place.whole && card.description && el("p", "description", { dir: "auto" }, card.description),
      (select || place.counted) && el("div", "choice", {}, select, place.counted && amount),
      el("div", "actions", {}, buy, share),
    ),
    // Last in the tree, so that who tabs or listens meets the product before its heart.
    likeButton(card, place),
  );
}

/**
 * @param {Card} card
 * @param {string} href
 * @param {Place} place
 * @param {number} at
 */
function media(card, href, { words }, at) {
  const src = web(card.image);
  const loading = at < EAGER ? "eager" : "lazy";
  const initial = [...card.title][0] ?? "";
  const image = src && el("img", "image", { alt: "", width: 600, height: 600, decoding: "async", loading, src });
  if (image) image.addEventListener("error", () => image.replaceWith(initial));
  return el(
    "a",
    "media",
    // The title is the same link in words: one stop of the Tab key is enough.
    { href: href || null, tabindex: -1, "aria-hidden": "true" },
    image || initial,
    card.sold_out && el("span", "badge", {}, words.sold_out),
  );
}

/**
 * @param {HTMLElement} cost
 * @param {{price: import("./types.js").Money | null, compare_at: import("./types.js").Money | null}} offer
 * @param {Place} place
 */
function drawPrice(cost, { price: now, compare_at: was }, { words, locales }) {
  const said = (/** @type {string} */ text) => el("span", "hidden", {}, `${text} `);
  const less = now && was && was.currency === now.currency && was.amount > now.amount;
  cost.replaceChildren(
    el("span", "now", {}, less && said(words.price_now), now ? price(now, locales) : "\u00a0"),
    less ? el("span", "was", {}, said(words.price_was), price(was, locales)) : "",
  );
}

/**
 * @param {Card} card
 * @param {import("./types.js").Words} words
 * @param {Variant} chosen
 */
function variantSelect(card, words, chosen) {
  const select = el("select", "select", { "aria-label": fill(words.option, card) });
  for (const variant of card.variants) {
    const text = variant.available ? variant.title : `${variant.title} – ${words.sold_out}`;
    select.add(new Option(text, variant.id, false, variant === chosen));
  }
  return select;
}

/**
 * @param {Card} card
 * @param {Place} place
 * @param {() => [Variant, number] | false} choice  false: the person has to choose otherwise
 */
function buyButton(card, place, choice) {
  const button = el("button", "buy", { type: "button" });
  button.addEventListener("click", async () => {
    const chosen = button.ariaBusy !== "true" && choice();
    if (!chosen) return;
    const [variant, quantity] = chosen;
    if (!place.tell("checkout", { product: card.id, variant: variant.id, quantity })) return;
    button.ariaBusy = "true";
    try {
      const { buy } = await import("./pressed.js");
      await buy(button, variant.id, quantity, place);
    } catch {
      button.ariaBusy = "false";
      place.say(place.words.error_offline);
    }
  });
  return button;
}

/**
 * Carries the click id from the page where somebody landed into the cart of a shop that is not ours (`/shop.js`):
 * Shopify's, WooCommerce's, or any form that asks for it. Sets no cookie and calls nobody but the shop itself, and
 * does nothing at all for whoever did not come through a link. The click is no claim: who asked not to be followed is
 * joined to nothing by it.
 */
import { ARRIVAL } from "./click.js";

const LIVES = 30 * 24 * 3600 * 1000;
const CLICK = ARRIVAL && Date.now() - ARRIVAL.at < LIVES ? ARRIVAL.id : "";

/** WooCommerce's own field for the address where a visit began; it goes into the order. */
const ENTRY = 'input[name="wc_order_attribution_session_entry"]';
const CHECKOUT = "form.checkout, form.woocommerce-checkout, form#order_review";

/**
 * What the shop's own scripts put on its pages.
 * @typedef {{
 *   Shopify?: {routes?: {root?: string}},
 *   wp?: {data?: {dispatch?: (store: string) => Record<string, Function> | undefined}},
 * }} Shop
 */
const shop = /** @type {Shop} */ (/** @type {unknown} */ (globalThis));

/**
 * Puts the click id into every form that asks for it, and into WooCommerce's.
 * @param {string} click
 */
function fill(click) {
  for (const form of document.querySelectorAll(CHECKOUT)) {
    if (form.querySelector('input[name="gv_click"]')) continue;
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "gv_click";
    form.append(input);
  }
  for (const input of document.querySelectorAll('input[name="gv_click"]')) {
    /** @type {HTMLInputElement} */ (input).value = click;
  }
  for (const input of document.querySelectorAll(ENTRY)) {
    const entry = /** @type {HTMLInputElement} */ (input);
    try {
      if (!entry.value.includes("gv_click=")) entry.value = landing(entry.value, click);
    } catch {
      // No address: the field is WooCommerce's, and stays as it is.
    }
  }
}

/**
 * The address where the visit began, as it was before the click id was taken out.
 * @param {string} address
 * @param {string} click
 */
function landing(address, click) {
  const none = address === "" || address.startsWith("("); // "(none)" is what WooCommerce says for nothing
  const url = new URL(none ? "/" : address, location.href);
  url.searchParams.set("gv_click", click);
  return url.href;
}

let extended = false;

/**
 * WooCommerce's checkout of blocks sends no form: it is told, once it is there, what else goes along with the order.
 * @param {string} click
 */
function extend(click) {
  if (extended) return;
  try {
    const store = shop.wp?.data?.dispatch?.("wc/store/checkout");
    const tell = store?.setExtensionData ?? store?.__internalSetExtensionData;
    tell?.("grapevine", { gv_click: click });
    extended = Boolean(tell);
  } catch {
    // There is no such checkout on this page.
  }
}

/**
 * Shopify keeps attributes with the cart, and then with the order. The cart is asked first, so that it is written to
 * once, and never while the shop itself writes.
 * @param {string} click
 */
async function attach(click) {
  if (!shop.Shopify) return;
  const root = shop.Shopify.routes?.root ?? "/";
  try {
    const cart = await (await fetch(`${root}cart.js`, { headers: { Accept: "application/json" } })).json();
    if (cart.attributes?.gv_click === click) return;
    await fetch(`${root}cart/update.js`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ attributes: { gv_click: click } }),
    });
  } catch {
    // The next page tries again; the landing address tells of the click besides.
  }
}

function carry() {
  fill(CLICK);
  extend(CLICK);
}

if (CLICK) {
  carry();
  // Forms come later, and their contents are put up anew: so once more before anything is sent.
  for (const moment of ["submit", "focusin", "click"]) document.addEventListener(moment, carry, true);
  addEventListener("load", carry);
  void attach(CLICK);
}

/**
 * `<grapevine-product product="prod_...">`: one product, with its description.
 */
import { drawCard } from "./card.js";
import { el } from "./dom.js";
import { GrapevineElement } from "./element.js";

/** @extends {GrapevineElement<import("./types.js").ProductPayload>} */
export class GrapevineProduct extends GrapevineElement {
  static observedAttributes = ["product", "api"];

  get path() {
    const product = this.getAttribute("product");
    return product ? `/v1/products/${encodeURIComponent(product)}/widget` : "";
  }

  get shape() {
    return "alone";
  }

  /**
   * @param {import("./types.js").ProductPayload} payload
   * @param {HTMLElement} section
   * @param {(wall?: string) => import("./types.js").Place} place
   */
  draw({ product }, section, place) {
    section.className = this.shape;
    section.ariaLabel = product.title;
    // The wall on which it was met, where the page says so: likes, shares and sales count for it.
    const card = drawCard(product, place(this.getAttribute("wall") ?? undefined), 0, true);
    section.append(el("ul", "cards", { role: "list" }, card));
  }
}

/**
 * `<grapevine-product product="prod_...">`: one product, with its description.
 */
import { GrapevineElement } from "./element.js";

/** @extends {GrapevineElement<import("./types.js").ProductPayload>} */
export class GrapevineProduct extends GrapevineElement {
  get path() {
    const product = this.getAttribute("product");
    return product ? `/v1/products/${encodeURIComponent(product)}/widget` : "";
  }

  /**
   * @param {import("./types.js").ProductPayload} payload
   * @returns {import("./types.js").View}
   */
  view({ product }) {
    // The wall on which it was met, where the page says so: likes, shares and sales count for it.
    const wall = this.getAttribute("wall") ?? undefined;
    return { layout: this.layout, label: product.title, theme: {}, wall, cards: [product] };
  }
}

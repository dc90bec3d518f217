/**
 * Registers the elements. This is the module that `/embed.js` brings in; all that a first paint needs is named
 * here, so the browser asks for it in one go instead of step by step. The share sheet comes when it is first used.
 */
import "./dom.js";
import "./api.js";
import "./store.js";
import "./price.js";
import "./click.js";
import "./styles.js";
import "./visitor.js";
import "./like.js";
import "./card.js";
import "./section.js";
import "./element.js";
import { GrapevineProduct } from "./product.js";
import { GrapevineWall } from "./wall.js";

/** A share button comes with all it needs when one stands on the page. */
class GrapevineShare extends HTMLElement {
  connectedCallback() {
    import("./share-button.js").then(({ upgrade }) => upgrade(this), () => {});
  }
}

const ELEMENTS = {
  "grapevine-wall": GrapevineWall,
  "grapevine-product": GrapevineProduct,
  "grapevine-share": GrapevineShare,
};

// A page may bring this in twice, even in two versions: the first one stays.
for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}

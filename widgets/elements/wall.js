/**
 * `<grapevine-wall wall="wall_...">`: the cards of a wall, in its layout.
 */
import { drawCard } from "./card.js";
import { el } from "./dom.js";
import { applyTheme, GrapevineElement } from "./element.js";

const LAYOUTS = ["grid", "list", "carousel", "single"];

/** From so many cards on, those outside the screen are not laid out. */
const MANY = 60;

/** @extends {GrapevineElement<import("./types.js").WallPayload>} */
export class GrapevineWall extends GrapevineElement {
  static observedAttributes = ["wall", "api"];

  get path() {
    const wall = this.getAttribute("wall");
    return wall ? `/v1/walls/${encodeURIComponent(wall)}/widget` : "";
  }

  /**
   * @param {import("./types.js").WallPayload} payload
   * @param {HTMLElement} section
   * @param {(wall?: string) => import("./types.js").Place} place
   */
  draw({ wall, cards, words }, section, place) {
    const layout = [this.getAttribute("layout"), wall.layout].find((name) => LAYOUTS.includes(name ?? "")) ?? "grid";
    section.className = cards.length > MANY && layout !== "carousel" ? `${layout} many` : layout;
    section.ariaLabel = wall.title || words.wall;
    applyTheme(section, wall.theme);
    const here = place(wall.id);
    const shown = layout === "single" ? cards.slice(0, 1) : cards;
    section.append(
      shown.length
        ? el("ul", "cards", { role: "list" }, ...shown.map((card, index) => drawCard(card, here, index)))
        : el("p", "empty", {}, words.empty),
    );
  }
}

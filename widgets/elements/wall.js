/**
 * `<grapevine-wall wall="wall_...">`: the cards of a wall, in its layout.
 */
import { GrapevineElement } from "./element.js";

const LAYOUTS = ["grid", "list", "carousel", "single"];

/** @param {(string | null)[]} names */
const firstLayout = (...names) => names.find((name) => name && LAYOUTS.includes(name)) ?? "grid";

/** @extends {GrapevineElement<import("./types.js").WallPayload>} */
export class GrapevineWall extends GrapevineElement {
  get path() {
    const wall = this.getAttribute("wall");
    return wall ? `/v1/walls/${encodeURIComponent(wall)}/widget` : "";
  }

  get layout() {
    return firstLayout(this.getAttribute("layout"));
  }

  /**
   * @param {import("./types.js").WallPayload} payload
   * @returns {import("./types.js").View}
   */
  view({ wall: { id, title, layout: own, theme }, cards, words }) {
    const layout = firstLayout(this.getAttribute("layout"), own);
    const most = layout === "single" ? 1 : cards.length;
    return { layout, label: title || words.wall, theme, wall: id, cards: cards.slice(0, most) };
  }
}

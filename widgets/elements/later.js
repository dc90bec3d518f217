/**
 * What an element gets once it is on the screen and nobody waits for it any more: the looks of later, the click id in
 * its links, room that is given back when the window changes, and buttons that turn a carousel. Part of after.js.
 */
import { clickId } from "./click.js";
import { adopt, el, icon } from "./dom.js";
import { LATER } from "./later-styles.js";

/** @typedef {import("./types.js").Shown} Shown */

const CHEVRON = "m9 5 7 7-7 7";

/** @type {WeakSet<HTMLElement>} sections that have it all: one that is drawn anew comes here again */
const finished = new WeakSet();

/** @param {Pick<Shown, "section" | "place">} shown */
export function finish({ section, place: { visitor, words } }) {
  const root = /** @type {ShadowRoot} */ (section.getRootNode());
  adopt(root, LATER);
  if (!finished.has(section)) {
    takeClickAlong(section, visitor);
    giveRoomBack(section);
    if (!CSS.supports("color", "light-dark(#fff, #000)")) import("./light.js").then(({ lighten }) => lighten(root));
  }
  finished.add(section);
  if (section.classList.contains("carousel") && !section.querySelector(".turn")) addTurns(section, words);
}

/**
 * The room of what stood there before is kept only as long as the window keeps its width.
 * @param {HTMLElement} section
 */
function giveRoomBack(section) {
  const width = innerWidth;
  const end = new AbortController();
  const look = () => {
    if (innerWidth === width && section.isConnected) return;
    section.style.minBlockSize = "";
    end.abort();
  };
  addEventListener("resize", look, { signal: end.signal });
}

/**
 * For a mouse: fingers swipe, and the Tab key brings each card into view by itself.
 * @param {HTMLElement} section
 * @param {import("./types.js").Words} words
 */
function addTurns(section, words) {
  const list = /** @type {HTMLElement} */ (section.querySelector(".cards"));
  const ahead = getComputedStyle(list).direction === "rtl" ? -1 : 1;
  /** @type {(name: string, to: number, label: string) => HTMLButtonElement} */
  const turn = (name, to, label) => {
    const button = el("button", `turn ${name}`, { type: "button", "aria-label": label, tabindex: -1 }, icon(CHEVRON));
    button.addEventListener("click", () => list.scrollBy({ left: to * ahead * list.clientWidth * 0.9 }));
    return button;
  };
  const back = turn("back", -1, words.carousel_back);
  const on = turn("on", 1, words.carousel_on);
  const look = () => {
    const passed = Math.abs(list.scrollLeft);
    back.disabled = passed < 8;
    on.disabled = passed > list.scrollWidth - list.clientWidth - 8;
  };
  list.addEventListener("scroll", look, { passive: true });
  list.after(back, on);
  new ResizeObserver(look).observe(list);
}

/**
 * A link to a hosted page gets the click id at the moment of going, so that a copied address carries none.
 * @param {HTMLElement} section
 * @param {import("./visitor.js").Visitor} visitor
 */
function takeClickAlong(section, visitor) {
  /** @param {Event} event */
  const go = ({ target }) => {
    const link = /** @type {Element} */ (target).closest("a");
    if (link?.href && link.closest(".card")) link.href = withClick(link.href, clickId(visitor.click));
  };
  section.addEventListener("click", go);
  section.addEventListener("auxclick", go);
}

/**
 * Adds the click id to the address of a page of ours, whose own storage cannot know it.
 * @param {string} href
 * @param {string | null} click
 */
function withClick(href, click) {
  if (!click) return href;
  const url = new URL(href);
  url.searchParams.set("gv_click", click);
  return url.href;
}

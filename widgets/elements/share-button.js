/**
 * `<grapevine-share merchant="mer_..." url="https://...">label</grapevine-share>`: a button that passes on any page of
 * the merchant's site, or with `product` (and `wall`) one of their products. Fetched when such an element stands on the
 * page; what is inside the element stays until the button can do its work, and when it cannot.
 */
import { HOME, Problem, request, web } from "./api.js";
import { BUTTON } from "./button-styles.js";
import { SHARE } from "./card.js";
import { attend } from "./choices.js";
import { arrivalOf } from "./click.js";
import { adopt, el, icon, speaker, tell } from "./dom.js";
import { STYLES } from "./styles.js";
import { visitorOf } from "./visitor.js";

/** @typedef {import("./types.js").SharingPayload} SharingPayload */

const LONGEST_TITLE = 300;

/** What advertisers and networks put into an address: whoever shares the page was brought there by it, nobody else. */
const TRACKS = /^(?:utm_\w+|\w*clid|igsh(?:id)?|mibextid|epik|li_fat_id|rdt_cid|mc_[ce]id|gv_click)=/i;

/** One question a merchant, however many buttons stand on the page. @type {Map<string, Promise<SharingPayload>>} */
const asked = new Map();

/**
 * Gives the element its button.
 * @param {HTMLElement} host
 */
export function upgrade(host) {
  const before = host.shadowRoot;
  const root = before ?? host.attachShadow({ mode: "open" });
  adopt(root, STYLES);
  adopt(root, BUTTON);
  if (before) return;
  if (!CSS.supports("color", "light-dark(#fff, #000)")) import("./light.js").then(({ lighten }) => lighten(root));
  root.append(el("div", "room", {}, el("slot")));
  const load = () => show(host, root);
  // Frameworks may set the attributes after the element stands.
  new MutationObserver(load).observe(host, { attributes: true, attributeFilter: ["merchant", "api"] });
  load();
}

/**
 * @param {HTMLElement} host
 * @param {ShadowRoot} root
 */
async function show(host, root) {
  const merchant = host.getAttribute("merchant");
  if (!merchant) return;
  const own = web(host.getAttribute("api"));
  const api = own ? new URL(own).origin : HOME;
  try {
    const payload = await sharingOf(`${api}/v1/merchants/${encodeURIComponent(merchant)}/sharing`);
    if (host.getAttribute("merchant") === merchant) draw(host, root, api, payload);
  } catch (problem) {
    tell(host, "error", { code: problem instanceof Problem ? problem.code : "" });
  }
}

/** @param {string} address */
function sharingOf(address) {
  const known = asked.get(address) ?? request("GET", address);
  asked.set(address, known);
  known.catch(() => asked.delete(address));
  return known;
}

/**
 * @param {HTMLElement} host
 * @param {ShadowRoot} root
 * @param {string} api
 * @param {SharingPayload} payload
 */
function draw(host, root, api, { merchant, networks, sharing, words }) {
  const visitor = visitorOf(api, merchant);
  const label = host.textContent?.trim() || words.share_device;
  const button = el("button", "share-button", { type: "button" }, icon(SHARE), el("span", "", {}, label));
  const line = el("p", "told", { role: "status" });
  const section = el("section", "", { lang: words.lang }, button, line);
  const place = { words, sharing, visitor, wall: undefined, tell: tell.bind(null, host) };
  const say = speaker(line);
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    const subject = subjectOf(host, merchant);
    if (!subject) {
      tell(host, "error", { code: "malformed_url" });
      say(words.error_other);
      return;
    }
    button.ariaBusy = "true";
    try {
      const { openSheet } = await import("./share.js");
      openSheet(root, section, subject, networks, place, subject.fields);
    } catch {
      say(words.error_offline);
    }
    button.ariaBusy = "false";
  });
  root.replaceChildren(section);
  tell(host, "ready", {});
  attend(host, visitor)
    .then(() => visitor.act())
    .then((acting) => acting.arrive(arrivalOf(host)))
    .catch(() => {});
}

/**
 * What is shared, and how it is called: the product or the page that the element names, else the page on which it
 * stands, under its canonical address. None: the address that it names is no address.
 * @param {HTMLElement} host
 * @param {string} merchant
 * @returns {{title: string, fields: import("./types.js").Subject} | null}
 */
function subjectOf(host, merchant) {
  const given = host.getAttribute("url");
  const product = host.getAttribute("product");
  const said = host.getAttribute("page-title") ?? "";
  if (product) return { title: said, fields: { product, wall: host.getAttribute("wall") ?? undefined } };
  const url = given ? absolute(given) : ownAddress();
  if (!url) return null;
  const title = (said || (given ? "" : document.title)).slice(0, LONGEST_TITLE);
  return { title, fields: { merchant, url, title } };
}

/** @param {string} address */
function absolute(address) {
  try {
    return web(new URL(address, document.baseURI).href);
  } catch {
    return "";
  }
}

/** The canonical address of this page, where it says one of its own site; else the address that was opened. */
function ownAddress() {
  const canonical = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="canonical"]'));
  const said = canonical && web(canonical.href);
  return said && said.startsWith(`${location.origin}/`) ? said : untracked(location.href);
}

/** @param {string} href */
function untracked(href) {
  const url = new URL(href);
  const kept = url.search.slice(1).split("&");
  url.search = kept.filter((pair) => !TRACKS.test(pair)).join("&");
  return url.href;
}

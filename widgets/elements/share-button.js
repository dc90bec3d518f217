/**
 * `<grapevine-share merchant="mer_..." url="https://...">label</grapevine-share>`: a button that passes on any page of
 * the merchant's site, or with `product` (and `wall`) one of their products. Fetched when such an element stands on the page; what is inside the element stays until the
 * button can do its work, and when it cannot.
 */
import { HOME, Problem, request, web } from "./api.js";
import { BUTTON } from "./button-styles.js";
import { ARRIVAL, clickId } from "./click.js";
import { el, icon, sheet } from "./dom.js";
import { STYLES } from "./styles.js";
import { visitorOf } from "./visitor.js";

/** @typedef {import("./types.js").SharingPayload} SharingPayload */

const LOOK = sheet(BUTTON);
const ARROW = "M12 15V3m0 0L8 7m4-4 4 4M6 11H5v9h14v-9h-1";
const OPENED = Date.now();
const SPEAKS_FOR = 6000;
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
  if (host.shadowRoot) return;
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [STYLES, LOOK];
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
  const button = el("button", "share-button", { type: "button" }, icon(ARROW), el("span", "", {}, label));
  const line = el("p", "told", { role: "status" });
  const section = el("section", "", { lang: words.lang }, button, line);
  const place = { words, sharing, visitor, wall: undefined, tell: tell.bind(null, host) };
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      const { openSheet } = await import("./share.js");
      const subject = subjectOf(host, merchant);
      openSheet(root, section, subject, networks, place, subject.fields);
    } catch {
      line.textContent = words.error_offline;
      setTimeout(() => (line.textContent = ""), SPEAKS_FOR);
    }
    button.ariaBusy = "false";
  });
  root.replaceChildren(section);
  tell(host, "ready", {});
  const id = clickId(host.getAttribute("click"));
  visitor.act().then((acting) => acting.arrive(id ? { id, at: OPENED } : ARRIVAL), () => {});
}

/**
 * What is shared, and how it is called: the product or the page that the element names, else the page on which it
 * stands, under its canonical address.
 * @param {HTMLElement} host
 * @param {string} merchant
 * @returns {{title: string, fields: import("./types.js").Subject}}
 */
function subjectOf(host, merchant) {
  const given = host.getAttribute("url");
  const product = host.getAttribute("product");
  const said = host.getAttribute("page-title") ?? "";
  if (product) return { title: said, fields: { product, wall: host.getAttribute("wall") ?? undefined } };
  const url = given ? new URL(given, document.baseURI).href : ownAddress();
  const title = (said || (given ? "" : document.title)).slice(0, LONGEST_TITLE);
  return { title, fields: { merchant, url, title } };
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

/**
 * @param {HTMLElement} host
 * @param {string} name
 * @param {object} detail
 */
function tell(host, name, detail) {
  return host.dispatchEvent(new CustomEvent(`grapevine-${name}`, { detail, bubbles: true, composed: true }));
}

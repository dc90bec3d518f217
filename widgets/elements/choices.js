/**
 * What a person says of being remembered, as the page passes it on: the attribute `consent` of an element, or a call of
 * `window.grapevine`. It holds for every merchant whose elements stand here, also for those who come later. Fetched
 * after the first paint; what was called before waits in a list. Knows no look.
 */

import { visitorOf } from "./visitor.js";

/** @typedef {import("./visitor.js").Visitor} Visitor */
/** @typedef {import("./acting.js").Acting} Acting */

/**
 * That the person opted out: of one merchant, or (on the page `/me`) of all whose elements stand on this site; null where
 * they did not. `told`: the server knows.
 * @param {Visitor} visitor
 * @returns {{told: boolean} | null}
 */
export const out = (visitor) => visitor.recall("out") ?? everywhere(visitor).recall("out");

/**
 * Where it is kept that somebody opted out of all: the visitor of no merchant.
 * @param {Visitor} visitor
 */
export const everywhere = ({ api }) => visitorOf(api);

/**
 * Who asked not to be followed, by the browser or here: is counted, and not known, and joined to no visit. The click id
 * still goes with a purchase.
 * @param {Visitor} visitor
 */
export const unfollowed = (visitor) =>
  /** @type {any} */ (navigator).globalPrivacyControl === true || navigator.doNotTrack === "1" || Boolean(out(visitor));

/** What each call asks of a visitor. @type {Record<string, (acting: Acting, version: string) => Promise<void>>} */
const CALLS = {
  consent: (acting, version) => acting.consent(version, true),
  withdraw: (acting) => acting.withdraw(),
  optOut: (acting) => acting.optOut(),
  comeBack: (acting) => acting.comeBack(),
};

/** @type {Set<Visitor>} */
const visitors = new Set();

/** @type {WeakSet<HTMLElement>} whose attribute is watched */
const watched = new WeakSet();

/** What was called, for visitors who come later. @type {[string, string?][]} */
const said = [];

/**
 * Takes note of an element, and of the consent that it names. Never throws.
 * @param {HTMLElement} host
 * @param {Visitor} visitor
 */
export async function attend(host, visitor) {
  const before = visitors.has(visitor) ? [] : [...said];
  visitors.add(visitor);
  const read = async () => {
    const named = host.getAttribute("consent");
    if (named) await (await visitor.act()).consent(named);
  };
  if (!watched.has(host)) {
    const look = () => read().catch(() => {});
    new MutationObserver(look).observe(host, { attributes: true, attributeFilter: ["consent"] });
  }
  watched.add(host);
  try {
    for (const call of before) await carry(call, visitor);
    await read();
  } catch {
    // The server is away: the next page says it again.
  }
}

/**
 * @param {[string, string?]} call
 * @param {Visitor} visitor
 */
async function carry([name, version = ""], visitor) {
  await CALLS[name]?.(await visitor.act(), version);
}

/**
 * Does it for everybody whose elements stand here. Fails where the server does not hear of it.
 * @param {[string, string?]} call by its name
 */
async function push(call) {
  said.push(call);
  await Promise.all([...visitors].map((visitor) => carry(call, visitor)));
}

function open() {
  const page = /** @type {{grapevine?: any}} */ (/** @type {unknown} */ (window));
  const before = page.grapevine;
  if (before && !Array.isArray(before)) return; // Another version of this is here already: the first one stays.
  const calls = Object.keys(CALLS).map((name) => [name, (/** @type {string} */ version) => push([name, version])]);
  page.grapevine = { ...Object.fromEntries(calls), push };
  said.push(...(before ?? []));
}

open();

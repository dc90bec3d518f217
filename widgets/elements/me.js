/**
 * The sharer's own page `/me`: finds the tokens that this browser keeps for this server (or one in the fragment of the
 * address, which no server gets), asks what each one's word did, and shows it. A token goes nowhere but into the header
 * of that call. Stands alone; runs on no other page.
 */
import { Problem, request, web } from "./api.js";
import { el, fill, speaker } from "./dom.js";
import { choice } from "./me-choices.js";
import { held } from "./me-held.js";
import { price, readable } from "./price.js";

/**
 * @typedef {{count: number | null, and_few: boolean}} Count  null: a few
 * @typedef {{id: string, title: string | null} | null} Named
 * @typedef {{
 *   id: string, kind: "like" | "share", network: string, url: string, product: Named, wall: Named, page: string | null,
 *   caption: string | null, at: string, visits: Count,
 * }} Passed
 * @typedef {{
 *   merchant: {id: string, name: string}, name: string | null, visits: Count, more: number,
 *   sales: {orders: Count, net: {currency: string, orders: number, net: number}[]},
 *   thanks: {rewarded: boolean, terms: string | null}, referrals: Passed[],
 * }} Word
 */

const CALL = "/v1/me";
const LONGEST_NAME = 80;
const IN_ADDRESS = "grapevine:me";

const place = document.getElementById("word");
/** @type {Record<string, string>} */
const words = JSON.parse(place?.dataset.words ?? "{}");
/** @type {Record<string, string>} */
const networks = JSON.parse(place?.dataset.networks ?? "{}");
const locales = readable([document.documentElement.lang, ...navigator.languages]);
const days = new Intl.DateTimeFormat(locales, { dateStyle: "medium" });
const numbers = new Intl.NumberFormat(locales);

const say = speaker(/** @type {HTMLElement} */ (document.getElementById("told")));

/** The token in the address, once; it is taken out of it, and kept for as long as the tab stands. */
function ofAddress() {
  const given = /^#(vt_[\w.-]{1,200})$/.exec(location.hash)?.[1];
  if (location.hash) history.replaceState(null, "", location.pathname);
  try {
    if (given) sessionStorage.setItem(IN_ADDRESS, given);
    return given ?? sessionStorage.getItem(IN_ADDRESS);
  } catch {
    return given ?? null;
  }
}

/**
 * Every token that this browser keeps for this server: one for each merchant.
 * @returns {string[]}
 */
function tokens() {
  /** @type {Set<any>} */
  const found = new Set([ofAddress()]);
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(`grapevine:${location.host}:`) || !key.endsWith(":visitor")) continue;
      found.add(JSON.parse(localStorage.getItem(key) ?? "null"));
    }
  } catch {
    // Storage is refused, or holds what is not ours: then there is none.
  }
  return [...found].filter((token) => typeof token === "string" && token.startsWith("vt_"));
}

/** @param {Count} told */
function counted({ count, and_few: few }) {
  if (count === null) return words.page_me_few;
  const number = numbers.format(count);
  return few ? fill(words.page_me_and_few, { count: number }) : count ? number : words.page_me_none;
}

/**
 * @param {string} term
 * @param {...string} values
 */
const figure = (term, ...values) =>
  el("div", "", {}, el("dt", "", {}, term), ...values.map((value) => el("dd", "", {}, value)));

/** @param {Word} word */
function figures({ visits, sales }) {
  const sums = sales.net.map(({ currency, net }) => price({ amount: net, currency }, locales));
  return el(
    "dl",
    "",
    { class: "word-figures" },
    figure(words.page_me_visits, counted(visits)),
    figure(words.page_me_orders, counted(sales.orders)),
    sums.length > 0 && figure(words.page_me_net, ...sums),
  );
}

/** @param {Word} word */
function thanks({ thanks: { rewarded, terms } }) {
  if (!rewarded) return null;
  const where = web(terms);
  const more = where && el("a", "", { href: where }, words.page_me_terms);
  return el("p", "", { class: "word-thanks" }, words.page_me_rewarded, more && " ", more);
}

/**
 * @param {Word} word
 * @param {string} token
 */
function naming(word, token) {
  const id = `name-${word.merchant.id}`;
  const input = el("input", "", { id, maxlength: LONGEST_NAME, autocomplete: "nickname", dir: "auto", "aria-describedby": `${id}-hint` });
  input.value = word.name ?? "";
  const save = el("button", "", { class: "buy" }, words.page_me_save);
  const form = el(
    "form",
    "",
    { class: "word-name" },
    el("label", "", { for: id }, words.page_me_name),
    el("p", "", { id: `${id}-hint` }, words.page_me_name_hint),
    el("div", "", {}, input, save),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    try {
      const name = input.value.trim() || null;
      const said = await request("PATCH", CALL, { name }, { "Grapevine-Visitor": token });
      input.value = said.name ?? "";
      say(said.name ? fill(words.page_me_saved, { name: said.name }) : words.page_me_unnamed);
    } catch (error) {
      say(wrong(error));
    }
    save.disabled = false;
  });
  return form;
}

/** @param {Passed} passed */
function title({ product, wall, page }) {
  const about = product ?? wall;
  if (!about) return page ? { text: words.page_me_page, href: web(page) } : { text: words.page_me_gone, href: "" };
  if (about.title === null) return { text: words.page_me_gone, href: "" };
  const met = wall ? `?wall=${wall.id}` : "";
  return { text: about.title, href: product ? `/p/${product.id}${met}` : `/w/${about.id}` };
}

/** @param {Passed} passed */
function item(passed) {
  const { text, href } = title(passed);
  const how = passed.kind === "like" ? words.page_me_like : (networks[passed.network] ?? words.page_me_shared);
  const about = [how, days.format(new Date(passed.at)), `${words.page_me_visits}: ${counted(passed.visits)}`];
  const field = el("input", "", { readonly: true, value: passed.url, "aria-label": `${words.page_me_link_of}: ${text}`, dir: "ltr" });
  const copy = el("button", "", { class: "word-press", type: "button", "aria-label": `${words.page_me_copy}: ${text}` }, words.page_me_copy);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(passed.url);
      say(words.page_me_copied);
    } catch {
      field.select();
      say(words.page_me_by_hand);
    }
  });
  return el(
    "li",
    "",
    {},
    el(
      "div",
      "",
      {},
      href ? el("a", "", { class: "word-title", href, dir: "auto" }, text) : el("span", "", { class: "word-title", dir: "auto" }, text),
      el("p", "", { class: "word-about" }, about.join(" · ")),
    ),
    passed.caption && el("blockquote", "", { dir: "auto" }, passed.caption),
    el("div", "", { class: "word-link" }, field, copy),
  );
}

/**
 * @param {Word} word
 * @param {string} token
 */
function section(word, token) {
  const id = `of-${word.merchant.id}`;
  const article = el(
    "article",
    "",
    { class: "word", "aria-labelledby": id },
    el("h2", "", { id, dir: "auto" }, word.merchant.name),
    figures(word),
    thanks(word),
    naming(word, token),
    word.referrals.length > 0 && el("h3", "", {}, words.page_me_passed),
    word.referrals.length > 0 && el("ul", "", { class: "word-list", role: "list" }, ...word.referrals.map(item)),
    word.more > 0 && el("p", "", { class: "word-wait" }, fill(words.page_me_more, { count: numbers.format(word.more) })),
  );
  article.append(held({ words, say, wrong }, token, () => article.remove()));
  return article;
}

/** @param {unknown} error */
const wrong = (error) => (error instanceof Problem && words[error.word]) || words.error_other;

/**
 * What one token's word did, or null where the token proves nothing (any more).
 * @param {string} token
 */
async function ask(token) {
  try {
    return section(await request("GET", CALL, undefined, { "Grapevine-Visitor": token }), token);
  } catch (error) {
    if (error instanceof Problem && [401, 404].includes(error.status)) return null;
    throw error;
  }
}

async function show() {
  place?.replaceChildren(el("p", "", { class: "word-wait" }, words.page_me_wait));
  try {
    const shown = [];
    const proved = [];
    for (const token of tokens()) {
      const told = await ask(token);
      shown.push(told);
      if (told) proved.push(token);
    }
    const found = shown.filter((each) => each !== null);
    place?.replaceChildren(...(found.length ? found : [el("p", "", { class: "word-wait" }, words.page_me_nothing)]));
    place?.append(choice(words, proved, say, wrong));
  } catch (error) {
    const again = el("button", "", { class: "word-press", type: "button" }, words.page_me_again);
    again.addEventListener("click", show);
    place?.replaceChildren(el("p", "", { class: "word-wait" }, wrong(error)), el("div", "", {}, again));
  }
}

document.querySelector(".word-bare")?.remove(); // for browsers that do not know the media query
if (place) show();

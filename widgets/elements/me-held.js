/**
 * What is held of somebody, on the page `/me`: said in words, taken along, and erased, which is asked twice. Part of
 * me.js.
 */
import { request } from "./api.js";
import { el } from "./dom.js";
import { keep } from "./store.js";

const CALL = "/v1/me";
const FILE = "grapevine.json";

/**
 * @typedef {{name: string, rows: object[]}} Part
 * @typedef {{words: Record<string, string>, say: (text: string) => void, wrong: (error: unknown) => string}} Page
 */

/**
 * What each part is called; a part that is not here is told by its own name.
 * @param {Record<string, string>} words
 * @returns {Record<string, string>}
 */
const titles = (words) => ({
  likes_and_shares: words.page_me_part_word,
  names: words.page_me_part_names,
  visits: words.page_me_part_visits,
  identities: words.page_me_part_identities,
  seen: words.page_me_part_seen,
  orders: words.page_me_part_orders,
  order_lines: words.page_me_part_lines,
  checkouts: words.page_me_part_checkouts,
  consents: words.page_me_part_consents,
  opted_out: words.page_me_part_out,
});

/** @param {string} token */
const proof = (token) => ({ "Grapevine-Visitor": token });

/**
 * @param {Record<string, string>} words
 * @param {Part[]} parts
 */
function told(words, parts) {
  const named = titles(words);
  const some = parts.filter((part) => part.rows.length > 0);
  const lines = some.map(({ name, rows }) => el("li", "", {}, `${named[name] ?? name}: ${rows.length}`));
  return lines.length ? el("ul", "", {}, ...lines) : el("p", "", { class: "word-wait" }, words.page_me_held_nothing);
}

/** @param {object} data */
function save(data) {
  const href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
  el("a", "", { href, download: FILE }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/**
 * Forgets the token wherever this browser keeps it.
 * @param {string} token
 */
function forget(token) {
  for (const storage of [() => localStorage, () => sessionStorage]) {
    try {
      for (const key of Object.keys(storage())) {
        const kept = storage().getItem(key) ?? "";
        if (kept === token || kept === JSON.stringify(token)) storage().removeItem(key);
        if (kept === JSON.stringify(token)) keep(key, null);
      }
    } catch {
      // Where storage is refused, nothing of it is kept.
    }
  }
}

/**
 * A button that does something which may fail, and cannot be pressed again meanwhile.
 * @param {Page} page
 * @param {string} text
 * @param {() => Promise<void>} act
 */
function press({ say, wrong }, text, act) {
  const button = el("button", "", { class: "word-press", type: "button" }, text);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      say(wrong(error));
    }
    button.disabled = false;
  });
  return button;
}

/**
 * All of it for one token; `gone` is called when its person was erased.
 * @param {Page} page
 * @param {string} token
 * @param {() => void} gone
 */
export function held(page, token, gone) {
  const { words, say } = page;
  const list = el("div", "", {});
  const ask = () => request("GET", `${CALL}/data`, undefined, proof(token));
  const show = press(page, words.page_me_held_show, async () => list.replaceChildren(told(words, (await ask()).parts)));
  const take = press(page, words.page_me_held_save, async () => {
    save(await ask());
    say(words.page_me_held_saved);
  });
  const sure = el("p", "", {}, words.page_me_erase_sure);
  const yes = press(page, words.page_me_erase_yes, async () => {
    await request("DELETE", CALL, undefined, proof(token));
    forget(token);
    gone();
    say(words.page_me_erased);
  });
  const no = el("button", "", { class: "word-press", type: "button" }, words.page_me_erase_no);
  const asked = el("div", "", { role: "group", "aria-label": words.page_me_erase, hidden: true }, sure, el("div", "", { class: "word-presses" }, no, yes));
  const erase = el("button", "", { class: "word-press", type: "button", "aria-expanded": "false" }, words.page_me_erase);
  /** @param {boolean} open */
  const turn = (open) => {
    asked.hidden = !open;
    erase.setAttribute("aria-expanded", String(open));
    (open ? no : erase).focus();
  };
  erase.addEventListener("click", () => turn(asked.hidden === true));
  no.addEventListener("click", () => turn(false));
  return el(
    "div",
    "",
    { class: "word-held" },
    el("h3", "", {}, words.page_me_held),
    el("p", "", {}, words.page_me_held_hint),
    el("div", "", { class: "word-presses" }, show, take, erase),
    list,
    asked,
  );
}

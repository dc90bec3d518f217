/**
 * Opting out on the page `/me`, and coming back: for every merchant of whom this browser keeps a token on this site, and
 * for those of whom it will. Part of me.js.
 */
import { Problem, request } from "./api.js";
import { el } from "./dom.js";
import { keep, recall } from "./store.js";

const CALL = "/v1/me/opt-out";
const HERE = `grapevine:${location.host}:`;
const EVERYWHERE = `${HERE}:out`; // as of the visitor of no merchant, in choices.js

/** Forgets what was said of single merchants. */
function forget() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(HERE) && key.endsWith(":out") && key !== EVERYWHERE) keep(key, null);
    }
  } catch {
    // Where storage is refused, nothing of it is kept.
  }
}

/**
 * Whether nothing is remembered: so it was said here, or the server knows it of every token.
 * @param {string[]} tokens
 */
async function isOut(tokens) {
  if (recall(EVERYWHERE)) return true;
  const told = await Promise.all(tokens.map((token) => said("GET", token)));
  return told.length > 0 && told.every((each) => each?.opted_out);
}

/**
 * The server's answer for a token; null where it proves nobody any more: who was erased meanwhile is out of it all.
 * @param {string} method
 * @param {string} token
 */
async function said(method, token) {
  try {
    return await request(method, CALL, undefined, { "Grapevine-Visitor": token });
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/**
 * The choice, as a part of the page.
 * @param {Record<string, string>} words
 * @param {string[]} tokens which prove somebody
 * @param {(text: string) => void} say
 * @param {(error: unknown) => string} wrong what an error is called
 */
export function choice(words, tokens, say, wrong) {
  const state = el("p", "", { class: "word-wait" });
  const button = el("button", "", { class: "word-press", type: "button", disabled: true });
  let out = false;
  const draw = () => {
    state.textContent = out ? words.page_me_is_out : words.page_me_out_hint;
    button.textContent = out ? words.page_me_back : words.page_me_out;
    button.disabled = false;
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if (!out) keep(EVERYWHERE, { told: false }); // Here at once, whatever the server answers.
      for (const token of tokens) await said(out ? "DELETE" : "POST", token);
      keep(EVERYWHERE, out ? null : { told: true });
      forget();
      out = !out;
      say(out ? words.page_me_told_out : words.page_me_told_back);
    } catch (error) {
      say(wrong(error));
    }
    draw();
    button.focus();
  });
  isOut(tokens)
    .then((answer) => (out = answer), () => {})
    .then(draw);
  const title = el("h2", "", { id: "choice" }, words.page_me_remembered);
  return el("section", "", { class: "word", "aria-labelledby": "choice" }, title, state, el("div", "", {}, button));
}

/**
 * What the iframe forms (`/embed/...`) do with scripts: they say how high they are, and that their cards were seen.
 * Stands alone: no elements, no storage, no cookies, so that it runs in `sandbox="allow-scripts"`. Without it the frame
 * is as readable, and its links lead to the same pages.
 */
import { watchCards } from "./sight.js";

const PAUSE = 1500;

/** WordPress gives each frame a secret in the hash (wp-embed.js), and believes only messages that hold it. */
const secret = /[#?&]secret=([0-9A-Za-z]+)/.exec(location.hash)?.[1];

/** @param {object} message */
const tell = (message) => {
  // Whoever frames this may know how high it is: there is nothing else in it.
  if (parent !== window) parent.postMessage(message, "*");
};

let told = 0;

/** @param {boolean} [again] also when it has not changed */
function tellHeight(again = false) {
  const height = Math.ceil(document.body.getBoundingClientRect().height);
  if (!height || (height === told && !again)) return;
  told = height;
  tell({ type: "grapevine:height", height });
  if (secret) tell({ message: "height", value: height, secret });
}

new ResizeObserver(() => tellHeight()).observe(document.body);
addEventListener("load", () => tellHeight(true));
addEventListener("message", ({ source, data }) => {
  if (source === parent && secret && data?.message === "ready" && data.secret === secret) tellHeight(true);
});

// WordPress's sandbox lets no link out: it is asked to follow it, which it does to the frame's own host.
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("a");
  if (!secret || !link) return;
  event.preventDefault();
  tell({ message: "link", value: link.href, secret });
});

/** @type {object[]} */
let seen = [];

/** A simple request, which outlives the page; whether it is kept is the server's word, and nobody waits for it. */
function send() {
  if (!seen.length) return;
  const body = JSON.stringify(seen);
  seen = [];
  const headers = { "Content-Type": "text/plain" };
  const url = new URL("/v1/beacons", import.meta.url);
  fetch(url, { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, headers, body }).catch(() => {});
}

const about = document.body.dataset;
let first = true;

/** @param {Element} card */
function note(card) {
  const at = new Date().toISOString();
  const { wall, code } = about;
  if (first && wall && !code) seen.push({ type: "wall_view", wall, at });
  const product = card.getAttribute("data-product") ?? undefined;
  seen.push({ type: "card_view", product, wall, code: first ? code : undefined, at });
  first = false;
  setTimeout(send, PAUSE);
}

watchCards(document.querySelectorAll(".card"), note);
addEventListener("pagehide", send);

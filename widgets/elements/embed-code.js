/**
 * What makes the merchant's page `/w/{wall}/embed` quicker: it changes with each choice, codes are copied by a press,
 * and a frame is as high as what is in it. Without this module the page is a plain form, complete as it is. Stands
 * alone; runs on no other page.
 */
const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form.paste-form"));

/** How many choices were made: only the answer to the last one is shown. */
let turn = 0;

/** Shows the page of what is chosen, in place of this one's result. */
async function choose() {
  if (!form) return;
  const mine = ++turn;
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) query.set(name, String(value));
  const address = `${form.action}?${query}`;
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const result = page.getElementById("result");
    if (mine !== turn || !result) return;
    document.getElementById("result")?.replaceWith(result);
    history.replaceState(null, "", address);
    buttons();
  } catch {
    if (mine === turn) form.submit(); // The browser itself says what is wrong.
  }
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const code = button.parentElement?.querySelector("code");
  const told = document.getElementById("told");
  if (!code || !told) return;
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    told.textContent = button.dataset.copied ?? "";
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 2000);
  } catch {
    getSelection()?.selectAllChildren(code);
    told.textContent = button.dataset.byHand ?? "";
  }
}

function buttons() {
  for (const found of document.querySelectorAll("button.paste-copy")) {
    const button = /** @type {HTMLButtonElement} */ (found);
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

form?.addEventListener("change", choose);
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  choose();
});
addEventListener("message", ({ data, source }) => {
  const frame = document.querySelector("iframe");
  if (!frame || source !== frame.contentWindow || data?.type !== "grapevine:height") return;
  const height = Number(data.height);
  if (height > 0 && height < 20_000) frame.height = String(Math.ceil(height));
});
buttons();

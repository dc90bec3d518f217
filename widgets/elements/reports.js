/**
 * What makes the report page quicker: calls are copied by a press. Without this module the page is complete as it is.
 * Stands alone; runs on no other page.
 */

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const code = button.closest(".report-call")?.querySelector("code");
  if (!code) return;
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    const before = button.textContent;
    button.textContent = button.dataset.copied ?? "";
    setTimeout(() => (button.textContent = before), 2000);
  } catch {
    getSelection()?.selectAllChildren(code);
  }
}

for (const found of document.querySelectorAll("button.report-copy")) {
  const button = /** @type {HTMLButtonElement} */ (found);
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

/**
 * What a person sees: half of a card (or half a screen of it) for a second, on a page that is in front. Knows neither
 * elements nor frames; both watch with it.
 */

const LONG_ENOUGH = 1000;
const STEPS = Array.from({ length: 21 }, (_, step) => step / 20);

export const hidden = () => document.visibilityState === "hidden";

/** Half of what can be seen at once. A frame may be higher than any screen. */
const halfAScreen = () => Math.min(innerHeight, screen.height) / 2;

/**
 * Calls `seen` once for each card that is seen.
 * @param {Iterable<Element>} cards
 * @param {(card: Element) => void} seen
 * @param {AbortSignal} [signal] ends it
 */
export function watchCards(cards, seen, signal) {
  /** @type {Map<Element, ReturnType<typeof setTimeout>>} */
  const looking = new Map();
  const unseen = new Set(cards);
  const away = (/** @type {Element} */ card) => {
    clearTimeout(looking.get(card));
    looking.delete(card);
  };
  const done = (/** @type {Element} */ card) => {
    unseen.delete(card);
    eye.unobserve(card);
    seen(card);
  };
  const eye = new IntersectionObserver(
    (sights) => {
      for (const { target, isIntersecting, intersectionRatio, intersectionRect } of sights) {
        const enough = isIntersecting && (intersectionRatio >= 0.5 || intersectionRect.height >= halfAScreen());
        if (!enough || hidden()) away(target);
        else if (!looking.has(target)) looking.set(target, setTimeout(done, LONG_ENOUGH, target));
      }
    },
    { threshold: STEPS },
  );
  // A page behind others is not looked at; in front again, it is looked at anew.
  const look = () =>
    unseen.forEach((card) => {
      away(card);
      eye.unobserve(card);
      if (!hidden()) eye.observe(card);
    });
  document.addEventListener("visibilitychange", look, { signal });
  signal?.addEventListener("abort", () => {
    unseen.forEach(away);
    eye.disconnect();
  });
  look();
}

/**
 * How much of what a person writes a network takes. The server measures exactly and cuts; this only says beforehand
 * where it will. The numbers are those of app/networks/catalogue.py; a test compares them.
 */

/**
 * The longest text, and what the link counts in it (null: its own length), where less fits than may be written.
 * @type {Record<string, [number, number | null]>}
 */
const LIMITS = {
  x: [280, 23],
  bluesky: [300, null],
  threads: [500, null],
  mastodon: [500, 23],
  reddit: [300, 0],
  sms: [480, null],
  viber: [200, null],
  weibo: [140, 0],
  hackernews: [80, 0],
};

const EMOJI = /[\u{1f000}-\u{1faff}\ufe0f]/u;
const LIGHT = /[\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]/;

/**
 * X counts an emoji as two, and most scripts outside Europe as two a character.
 * @param {string} grapheme
 */
const onX = (grapheme) =>
  EMOJI.test(grapheme) ? 2 : [...grapheme].reduce((sum, each) => sum + (LIGHT.test(each) ? 1 : 2), 0);

/**
 * The networks that would shorten the text.
 * @template {{id: string}} Network
 * @param {string} text
 * @param {number} link length of the link that goes along
 * @param {Network[]} networks
 */
export function shortening(text, link, networks) {
  const characters = graphemes(text);
  return networks.filter(({ id }) => {
    if (!(id in LIMITS)) return false;
    const [limit, cost] = LIMITS[id];
    const taken = cost ?? link;
    const length = characters.reduce((sum, each) => sum + (id === "x" ? onX(each) : 1), 0);
    return length > limit - (taken && taken + 1);
  });
}

/** @param {string} text */
function graphemes(text) {
  if (!Intl.Segmenter) return [...text];
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

/**
 * Amounts as a person reads them. Pure: knows no page and no server.
 *
 * Decimals come from ISO 4217, not from Intl: Unicode's table says how cash is rounded in a country (no cents for
 * some currencies that have them), ours says what a minor unit is.
 */

/** @type {Record<number, string>} Currencies whose minor unit is not a hundredth. */
const DECIMALS = {
  0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf",
  3: "bhd iqd jod kwd lyd omr tnd",
  4: "clf uyw",
};

/**
 * Number of decimals of a currency.
 * @param {string} currency
 */
export function exponent(currency) {
  const code = currency.toLowerCase();
  for (const [decimals, codes] of Object.entries(DECIMALS)) {
    if (codes.split(" ").includes(code)) return Number(decimals);
  }
  return 2;
}

/**
 * The languages that Intl knows how to read: a browser may pass on one that only its system understands, such as
 * `en-US@posix`, and one of them would cost every price.
 * @param {readonly string[]} locales
 */
export const readable = (locales) =>
  locales.filter((locale) => {
    try {
      return Intl.getCanonicalLocales(locale).length;
    } catch {
      return false;
    }
  });

/**
 * The amount in the reader's own format, such as "19,99 €".
 * @param {import("./types.js").Money} money
 * @param {readonly string[]} [locales]
 */
export function price({ amount, currency }, locales) {
  const digits = exponent(currency);
  return new Intl.NumberFormat(locales, {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

/**
 * A count that stays short: 999, 1.2K.
 * @param {number} number
 * @param {readonly string[]} [locales]
 */
export function count(number, locales) {
  return new Intl.NumberFormat(locales, { notation: "compact" }).format(number);
}

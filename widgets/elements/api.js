/**
 * Speaks HTTP with the server: JSON there, JSON or a problem (RFC 9457) back. Knows no visitor and no page.
 */

/** Where these modules came from is where the server is. */
export const HOME = new URL(import.meta.url).origin;

const PATIENCE = 15_000;

/**
 * What a status means to a person. Our own calls are well formed: what cannot be processed (422) names something that
 * is no longer on offer.
 * @type {Record<number, string>}
 */
const NO = { 0: "offline", 404: "gone", 410: "gone", 422: "gone", 429: "busy", 503: "busy" };

/** The server's "no", or (status 0) its silence. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code
   */
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }

  /** Which of `words` says this to a person. */
  get word() {
    return `error_${this.code === "out_of_stock" ? "sold_out" : (NO[this.status] ?? "other")}`;
  }
}

/**
 * The answer's JSON (null when it has no body).
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export async function request(method, url, body, headers = {}) {
  try {
    const answer = await fetch(url, {
      method,
      mode: "cors",
      credentials: "omit",
      headers: body ? { "Content-Type": "application/json", ...headers } : headers,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await answer.text();
    const json = text ? JSON.parse(text) : null;
    if (answer.ok) return json;
    throw new Problem(answer.status, json?.code ?? "");
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(0, "unreachable");
  }
}

/**
 * The address if it leads to the web, else "": a `javascript:` address in a feed must stay words.
 * @param {string | null | undefined} address
 */
export function web(address) {
  try {
    const url = new URL(address ?? "");
    return /^https?:$/.test(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

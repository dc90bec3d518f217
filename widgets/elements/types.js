/**
 * What the server sends to the elements, as types. Nothing runs here and nothing is fetched: other files name
 * these types in their comments. The contract itself is in ../README.md.
 *
 * @typedef {{amount: number, currency: string}} Money  minor units of an ISO 4217 currency
 * @typedef {{id: string, title: string, price: Money | null, compare_at: Money | null, available: boolean}} Variant
 * @typedef {{
 *   type: "product", id: string, title: string, description: string, image: string | null,
 *   price: Money | null, compare_at: Money | null, url: string,
 *   variants: Variant[], likes: number, sold_out: boolean,
 * }} Card
 * @typedef {{scheme?: "light" | "dark" | "auto", accent?: string, radius?: number}} Theme  radius in CSS pixels
 * @typedef {"grid" | "list" | "carousel" | "single"} Layout
 * @typedef {{id: string, title: string, layout: Layout, theme: Theme, locale: string, url: string}} Wall
 * @typedef {{id: string, name: string, color: string}} Network
 * @typedef {Record<string, string>} Words  the strings of ../messages in the visitor's language
 * @typedef {{rewarded: boolean, terms: string | null}} Sharing  whether a share may be rewarded, and where that is told
 * @typedef {{merchant?: string, networks: Network[], sharing?: Sharing, words: Words}} Common
 * @typedef {Common & {wall: Wall, cards: Card[]}} WallPayload
 * @typedef {Common & {product: Card}} ProductPayload
 *
 * @typedef {{id: string, liked: boolean, likes: number, code: string, url: string, visitor?: string}} Liked
 * @typedef {{
 *   id: string, code: string, url: string, intent_url: string | null, network: string,
 *   parent: string | null, visitor?: string,
 * }} Shared
 * @typedef {{id: string, at: number}} Arrival  a click that led to a page, and when (milliseconds)
 * @typedef {Arrival & {seen: number, claimed: boolean, bound?: boolean}} KeptArrival  `seen`: the arrival that was last
 *   looked at; `bound`: not false, it is known whose it was
 * @typedef {{product?: string, wall?: string} | {merchant: string, url: string, title: string}} Subject  what is
 *   shared: a product, a wall, or a page of the merchant's
 * @typedef {Subject & {network: string, caption?: string, name?: string, via?: string}} Share
 * @typedef {Common & {merchant: string}} SharingPayload  what a share button needs
 *
 * Where a card stands: everything it needs beyond its own facts.
 * @typedef {Common & {
 *   locales: readonly string[],
 *   heading: number,
 *   counted: boolean,
 *   whole: boolean,
 *   wall: string | undefined,
 *   visitor: import("./visitor.js").Visitor,
 *   counts: Map<string, (likes: number) => void>,
 *   say: (text: string) => void,
 *   tell: (name: string, detail: object) => boolean,
 *   share: (card: Card) => Promise<void>,
 *   redraw: () => Promise<void>,
 * }} Place  `counted`: one can choose how many; `whole`: with its description; `counts`: sets the likes of a product
 * @typedef {{
 *   likes: number, stands: boolean, wanted: boolean, draw: () => void,
 * }} Heart  `stands`: what the server knows; `wanted`: what the person wants
 *
 * What of a payload is shown, and how.
 * @typedef {{cards: Card[], label: string, layout: string, theme: Theme, wall: string | undefined}} View
 * @typedef {HTMLElement & {
 *   api: string, path: string,
 *   view: (payload: any) => View,
 * }} Host  an element of ours, to what it shows
 * @typedef {{
 *   element: Host, section: HTMLElement, payload: any, place: Place, arrival: Arrival | null,
 * }} Shown  what an element shows now
 */
export {};

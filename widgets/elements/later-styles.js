/**
 * How elements look under the hand: what is said, pointed at, focused, under way. Nothing of it is seen at the first
 * paint, and nothing of it moves anything.
 */
export const LATER = `
.say{position:sticky;inset-block-end:16px;block-size:0;z-index:1;pointer-events:none}
.say p{position:absolute;inset-block-end:0;inset-inline:0;margin:auto;inline-size:fit-content;max-inline-size:calc(100% - 24px);padding:10px 16px;border-radius:10px;background:var(--text);color:var(--surface);box-shadow:0 8px 24px -8px #0006;font-size:.9375rem}
.say p:empty{display:none}
.say .fresh{position:absolute;inset-block-end:0;inset-inline:0;margin:auto;inline-size:fit-content;min-block-size:44px;padding:0 18px;border:0;border-radius:22px;background:var(--accent);color:var(--ink);font:inherit;font-size:.9375rem;font-weight:600;box-shadow:0 8px 24px -8px #0006;pointer-events:auto;cursor:pointer}
.say .fresh:focus-visible{outline:3px solid var(--text);outline-offset:2px}
.say p:not(:empty)+.news .fresh{inset-block-end:56px}
:focus-visible{outline:2px solid var(--text);outline-offset:2px}
.title:has(:focus-visible){outline:2px solid var(--text);outline-offset:2px}
button{touch-action:manipulation}
.card:hover{border-color:var(--muted)}
.title a:hover{text-decoration:underline;text-underline-offset:.2em}
.like:hover{color:var(--like)}
.buy:hover:enabled{box-shadow:0 0 0 2px var(--accent)}
.share:hover{background:var(--tint)}
.buy[aria-busy=true]{opacity:.7;cursor:progress}
.carousel .cards{overscroll-behavior-inline:contain;scroll-snap-type:inline mandatory;scroll-padding-inline:4px;scrollbar-width:thin}
.carousel .card{scroll-snap-align:start}
.turn{position:absolute;inset-block-start:calc(50% - 22px);inline-size:44px;block-size:44px;display:none;place-items:center;border:1px solid var(--line);border-radius:50%;background:var(--surface);box-shadow:0 2px 8px #0003}
.turn.back{inset-inline-start:-8px}
.turn.on{inset-inline-end:-8px}
.turn:disabled{visibility:hidden}
:dir(rtl).turn svg{transform:scaleX(-1)}
@media (hover:hover){.carousel:hover .turn{display:grid}}
@media (prefers-reduced-motion:no-preference){
.carousel .cards{scroll-behavior:smooth}
.image{transition:scale .4s}
.card:hover .image{scale:1.03}
}
`;

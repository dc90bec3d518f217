/**
 * How cards look, as one constructable sheet for all elements: it needs no `<style>`, so it works under the host's
 * `style-src 'self'`. What a host may change are the `--grapevine-*` properties and the parts (../README.md).
 */
import { sheet } from "./dom.js";

export const STYLES = sheet(`
:host{display:block;inline-size:100%;container-type:inline-size}
:host([hidden]){display:none}
section{color-scheme:light dark;
--text:var(--grapevine-text,light-dark(#1d1a24,#f3f1f7));
--muted:var(--grapevine-muted,light-dark(#625d6d,#b3adbf));
--surface:var(--grapevine-surface,light-dark(#fff,#1e1b25));
--tint:var(--grapevine-tint,light-dark(#f4f2f6,#2a2633));
--line:var(--grapevine-line,light-dark(#e6e2eb,#373241));
--like:var(--grapevine-like,light-dark(#cf1f5a,#ff7ea6));
--accent:var(--grapevine-accent,var(--theme-accent,light-dark(#5b2a86,#cdb0f5)));
--ink:var(--grapevine-accent-text,var(--theme-ink,light-dark(#fff,#23103a)));
--round:var(--grapevine-radius,var(--theme-radius,14px));
position:relative;color:var(--text);font-family:var(--grapevine-font,inherit);font-size:var(--grapevine-font-size,1rem);line-height:1.4;text-align:start}
section[data-scheme=light]{color-scheme:light}
section[data-scheme=dark]{color-scheme:dark}
:host([theme=light]) section{color-scheme:light}
:host([theme=dark]) section{color-scheme:dark}
:host([theme=auto]) section{color-scheme:light dark}
*{box-sizing:border-box;margin:0;padding:0;font:inherit;color:inherit}
a{text-decoration:none}
button{cursor:pointer;touch-action:manipulation}
:focus-visible{outline:2px solid var(--text);outline-offset:2px}
svg{inline-size:1.25em;block-size:1.25em;flex:none;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.hidden{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.cards{display:grid;list-style:none;gap:var(--grapevine-gap,clamp(12px,2cqi,24px));grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--grapevine-card-min,clamp(9rem,26cqi,15rem))),1fr))}
.card{position:relative;display:flex;flex-direction:column;min-inline-size:0;background:var(--surface);border:1px solid var(--line);border-radius:var(--round);overflow:clip;overflow-clip-margin:4px}
.card:hover{border-color:var(--muted)}
.many .card{content-visibility:auto;contain-intrinsic-size:auto 24rem}
.media{position:relative;display:grid;place-items:center;aspect-ratio:var(--grapevine-ratio,1);background:var(--tint);color:var(--muted);font-size:3em;overflow:hidden;border-radius:calc(var(--round) - 1px) calc(var(--round) - 1px) 0 0}
.media:before{content:attr(data-initial);opacity:.5}
.image{position:absolute;inset:0;inline-size:100%;block-size:100%;object-fit:var(--grapevine-fit,cover)}
.gone .image{opacity:.5}
.badge{position:absolute;inset-block-start:10px;inset-inline-start:10px;padding:2px 10px;border-radius:99px;background:var(--text);color:var(--surface);font-size:.75rem;font-weight:600}
.like{position:absolute;inset-block-start:8px;inset-inline-end:8px;display:inline-flex;align-items:center;gap:6px;min-block-size:36px;min-inline-size:36px;justify-content:center;padding:0 10px;border:0;border-radius:99px;background:var(--surface);box-shadow:0 1px 4px #0003;font-size:.875rem;font-weight:600;font-variant-numeric:tabular-nums}
.like span:empty{display:none}
.like:hover{color:var(--like)}
.like[aria-pressed=true]{color:var(--like)}
.like[aria-pressed=true] path{fill:currentColor}
.body{display:flex;flex-direction:column;flex:1;gap:6px;padding:clamp(10px,1.6cqi,16px)}
.title{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;font-weight:500;overflow-wrap:anywhere}
.title:has(:focus-visible){overflow:visible}
.title a:hover{text-decoration:underline;text-underline-offset:.2em}
.price{display:flex;flex-wrap:wrap;gap:0 .5em;font-weight:650;font-variant-numeric:tabular-nums}
.was{color:var(--muted);font-weight:400;text-decoration:line-through}
.description{color:var(--muted);white-space:pre-line;overflow-wrap:anywhere}
.select{inline-size:100%;min-block-size:40px;padding-inline:10px;border:1px solid light-dark(#8d8699,#857d93);border-radius:calc(var(--round)*.6);background:var(--surface);text-overflow:ellipsis}
.select,.actions{margin-block-start:auto}
.select+.actions{margin:0}
.actions{display:flex;gap:8px;padding-block-start:6px}
.buy,.share{display:inline-flex;align-items:center;justify-content:center;gap:8px;min-block-size:44px;border-radius:calc(var(--round)*.6);font-weight:600}
.buy{flex:1;min-inline-size:0;padding-inline:10px;border:1px solid var(--accent);background:var(--accent);color:var(--ink)}
.buy:hover{filter:brightness(1.12)}
.buy:disabled{background:var(--tint);border-color:var(--line);color:var(--muted);cursor:default;filter:none}
.buy[aria-busy=true]{opacity:.7;cursor:progress}
.share{inline-size:44px;flex:none;border:1px solid var(--line);background:none}
.share:hover{background:var(--tint)}
.list .cards,.single .cards,.alone .cards{grid-template-columns:minmax(0,1fr)}
.single .cards{max-inline-size:26rem}
.list .card{flex-direction:row}
.list .media{inline-size:clamp(96px,28%,200px);flex:none;border-radius:0}
.list .like{inset:auto auto 8px 8px}
.carousel .cards{grid-template-columns:none;grid-auto-flow:column;grid-auto-columns:clamp(9rem,42cqi,15rem);overflow-x:auto;overscroll-behavior-inline:contain;scroll-snap-type:inline mandatory;scroll-padding-inline:4px;padding:4px 4px 14px}
.carousel .card{scroll-snap-align:start}
.alone .title{-webkit-line-clamp:none;font-size:1.25em;font-weight:600}
.alone .select,.alone .actions{margin:0}
.alone .body{gap:12px;padding:clamp(14px,3cqi,32px)}
@container (min-width:620px){
.alone .card{flex-direction:row}
.alone .media{inline-size:50%;flex:none;align-self:start;border-radius:calc(var(--round) - 1px) 0 0 calc(var(--round) - 1px)}
.alone .like{inset-inline:auto calc(50% + 8px)}
.alone .title{font-size:1.6em;line-height:1.2}
.alone .price{font-size:1.2em}
}
.bone{visibility:hidden}
.bone .media,.bone .body{visibility:visible;background:var(--tint)}
.bone .body{min-block-size:9em;opacity:.4}
.say{position:sticky;inset-block-end:16px;block-size:0;z-index:1;pointer-events:none}
.say p{position:absolute;inset-block-end:0;inset-inline:0;margin:auto;inline-size:fit-content;max-inline-size:calc(100% - 24px);padding:10px 16px;border-radius:10px;background:var(--text);color:var(--surface);box-shadow:0 8px 24px -8px #0006;font-size:.9375rem}
.say p:empty{display:none}
@media (forced-colors:active){.like[aria-pressed=true]{color:Highlight}.buy,.like,.badge{border:1px solid}}
`);

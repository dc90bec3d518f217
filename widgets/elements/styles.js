/**
 * How cards look, as one constructable sheet for all elements: it needs no `<style>`, so it works under the host's
 * `style-src 'self'`. What a host may change are the `--grapevine-*` properties and the parts (../README.md).
 *
 * The height of a card follows from its width alone, whatever it says: two lines of title, one of price (or one and
 * two), the buttons; a choice lies upon the picture. So what keeps the room before has the height of what comes.
 * Cards come in three sizes, by their own width: below 12rem, from 20rem on, and between. The words on the accent are
 * white up to a relative luminance (`y`) of 0.179 and black above: both are read equally well there (WCAG 2.2).
 */
export const STYLES = `
:host{inline-size:100%;container-type:inline-size;contain-intrinsic-inline-size:12rem}
:host(:not([hidden])){display:block}
section{color-scheme:light dark;
--text:var(--grapevine-text,light-dark(#1d1a24,#f3f1f7));
--muted:var(--grapevine-muted,light-dark(#625d6d,#b3adbf));
--surface:var(--grapevine-surface,light-dark(#fff,#1e1b25));
--tint:var(--grapevine-tint,light-dark(#f4f2f6,#2a2633));
--line:var(--grapevine-line,light-dark(#e6e2eb,#373241));
--edge:light-dark(#8d8699,#857d93);
--like:var(--grapevine-like,light-dark(#cf1f5a,#ff7ea6));
--accent:var(--grapevine-accent,var(--theme-accent,light-dark(#5b2a86,#cdb0f5)));
--ink:var(--grapevine-accent-text,color(from var(--accent) xyz-d65 clamp(0,(.179 - y)*9e9,.95) clamp(0,(.179 - y)*9e9,1) clamp(0,(.179 - y)*9e9,1.089)));
--round:var(--grapevine-radius,var(--theme-radius,14px));
position:relative;color:var(--text);font-family:var(--grapevine-font,inherit);font-size:var(--grapevine-font-size,1rem);line-height:1.4;text-align:start}
section[data-scheme=light],:host([theme=light]) section{color-scheme:light}
section[data-scheme=dark],:host([theme=dark]) section{color-scheme:dark}
:host([theme=auto]) section{color-scheme:light dark}
*{box-sizing:border-box;margin:0;padding:0;font:inherit;color:inherit}
a{text-decoration:none;outline-offset:-2px}
button{cursor:pointer}
svg{inline-size:1.25em;block-size:1.25em;flex:none;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.hidden{position:absolute;clip-path:inset(50%)}
.room,.alone{display:grid}
.room>*{grid-area:1/1;display:block}
.room section:not(:only-child){visibility:hidden}
.cards{display:grid;list-style:none;align-self:start;gap:var(--grapevine-gap,clamp(10px,2cqi,24px));grid-auto-rows:1fr;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--grapevine-card-min,clamp(8rem,26cqi,15rem))),1fr))}
.card{position:relative;display:flex;flex-direction:column;container-type:inline-size;background:var(--surface);border:1px solid var(--line);border-radius:var(--round);overflow:clip}
.many .card{content-visibility:auto;contain-intrinsic-size:auto 16rem}
.media{position:relative;display:grid;place-items:center;aspect-ratio:var(--grapevine-ratio,1);background:var(--tint);color:var(--muted);font-size:3em;overflow:hidden}
.image{position:absolute;inset:0;inline-size:100%;block-size:100%;object-fit:var(--grapevine-fit,cover)}
.gone .image{opacity:.5}
.badge{position:absolute;inset-block-start:10px;inset-inline-start:10px;padding:2px 10px;border-radius:99px;background:var(--text);color:var(--surface);font-size:.75rem;font-weight:600}
.like{position:absolute;inset-block-start:8px;inset-inline-end:8px;display:inline-flex;align-items:center;justify-content:center;gap:6px;min-block-size:36px;min-inline-size:36px;padding:0 10px;border:1px solid var(--line);border-radius:99px;background:var(--surface);font-size:.875rem;font-weight:600}
.like span:empty{display:none}
.like[aria-pressed=true]{color:var(--like)}
.like[aria-pressed=true] path{fill:currentColor}
.body{--pad:12px;position:relative;flex:1 0 auto;min-inline-size:0;block-size:calc(3lh + 62px + 2*var(--pad));display:flex;flex-direction:column;gap:6px;padding:var(--pad)}
.title{min-block-size:1lh;font-weight:500}
.title,.description{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;overflow-wrap:anywhere}
.price{flex:none;display:flex;flex-wrap:wrap;gap:0 .5em;margin-block-end:auto;font-weight:650}
.price:has(.was) .now{color:var(--like)}
.was{color:var(--muted);font-weight:400;text-decoration:line-through}
.description{color:var(--muted);white-space:pre-line;-webkit-line-clamp:4}
.choice{position:absolute;inset-block-end:calc(100% + 8px);inset-inline-start:8px;max-inline-size:calc(100% - 16px);display:flex;gap:8px}
.choice>*{min-inline-size:0;min-block-size:36px;padding-inline:10px 4px;border:1px solid var(--edge);border-radius:99px;background:var(--surface);text-overflow:ellipsis}
.actions{display:flex;gap:8px;padding-block-start:6px}
.buy,.share{display:inline-flex;align-items:center;justify-content:center;min-block-size:44px;border-radius:calc(var(--round)*.6);font-weight:600;line-height:1.2}
.buy{flex:1;min-inline-size:0;padding-inline:8px;border:1px solid #0000;background:var(--accent);color:var(--ink)}
.buy:disabled{background:var(--tint);color:var(--muted);cursor:default}
.share{inline-size:44px;flex:none;border:1px solid var(--line);background:none}
@container (width<12rem){.body{--pad:9px;font-size:.875em}}
@container (width>=20rem){.body{--pad:16px;font-size:1.0625em}}
.counted .choice{position:static;max-inline-size:none}
.counted .select{flex:1}
.counted .quantity{inline-size:4em}
.counted .body{block-size:calc(3lh + 104px + 2*var(--pad))}
.list .cards,.single .cards,.alone .cards{grid-template-columns:minmax(0,1fr)}
.single .cards{max-inline-size:26rem}
.list .card{--side:clamp(6rem,28cqi,11rem);flex-direction:row}
.list .media{inline-size:var(--side);flex:none;aspect-ratio:auto}
.list .body{flex:1;font-size:1em}
.list .like{inset-inline:8px auto}
.list .badge{display:none}
.list .actions{max-inline-size:16rem}
.list .select{font-size:.8125rem}
.list .choice{inset-block-end:8px;inset-inline-start:calc(8px - var(--side));max-inline-size:calc(var(--side) - 16px)}
.carousel .cards{grid-template-columns:none;grid-auto-flow:column;grid-auto-columns:clamp(9rem,42cqi,15rem);overflow-x:auto;padding:4px 4px 14px}
.alone .cards{align-self:stretch}
.alone .card{container-type:normal}
.alone .body{--pad:clamp(14px,3cqi,32px);block-size:auto;gap:12px}
.alone .bone .body{block-size:calc(8lh + 134px + 2*var(--pad))}
.alone .title{font-size:1.25em;font-weight:600}
.alone .price{margin:0}
:host(:not(:empty)) .alone *{-webkit-line-clamp:none}
@container (width>=620px){
.alone .card{flex-direction:row}
.alone .media{inline-size:50%;flex:none;align-self:start}
.alone .like{inset-inline-end:calc(50% + 8px)}
.alone .body{flex:1}
.alone .title{font-size:1.6em;line-height:1.2}
.alone .price{font-size:1.2em}
}
.bone .media,.bone .body{background:var(--tint)}
.bone .body{opacity:.4}
`;

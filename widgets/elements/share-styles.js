/**
 * How the share sheet looks: at the bottom edge of a phone, in the middle of a larger screen.
 */
export const SHEET = `
.sheet{inline-size:min(100%,30rem);max-inline-size:100vw;max-block-size:min(88dvh,44rem);margin:auto auto 0;padding:0;border:0;border-radius:20px 20px 0 0;background:var(--surface);color:var(--text);font-style:normal;font-size:1rem;line-height:1.4;letter-spacing:normal;text-align:start;text-transform:none;white-space:normal;overflow:auto;overscroll-behavior:contain;box-shadow:0 -8px 48px #0005}
.sheet:not(:modal){display:none}
.sheet-body{padding:0 20px 20px}
.sheet::backdrop{background:#0f0a16a6}
.sheet[open]{animation:rise .28s cubic-bezier(.2,.8,.2,1)}
@keyframes rise{from{transform:translateY(32px);opacity:0}}
.sheet header{position:sticky;inset-block-start:0;z-index:1;display:flex;align-items:center;gap:12px;margin-inline:-20px;padding:14px 12px 10px 20px;background:var(--surface)}
.sheet-title{flex:1;font-size:1.125rem;font-weight:650;overflow-wrap:anywhere}
.close{display:grid;place-items:center;inline-size:40px;block-size:40px;border:0;border-radius:50%;background:var(--tint)}
.sheet p{unicode-bidi:plaintext}
textarea.field{field-sizing:content;max-block-size:9em}
.reward{margin-block-end:8px;padding:10px 14px;border-radius:10px;background:var(--tint)}
.reward a{text-decoration:underline;text-underline-offset:.2em}
.more{margin-block-end:14px}
.more summary{inline-size:fit-content;padding-block:6px;cursor:pointer;color:var(--muted)}
.more label{display:grid;gap:4px;margin-block-start:8px;font-size:.875rem;font-weight:600}
.field{inline-size:100%;min-block-size:44px;padding:9px 12px;border:1px solid var(--edge);border-radius:10px;background:none;font-weight:400;font-size:1rem;resize:vertical}
.hint:empty{display:none}
.hint{margin-block-start:8px;color:var(--muted);font-size:.875rem}
.ways{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,8.5rem),1fr));gap:8px}
.way{display:flex;align-items:center;justify-content:center;gap:8px;min-block-size:48px;padding-inline:12px;border:1px solid var(--line);border-radius:12px;background:var(--tint);font-weight:600}
.way:hover,.close:hover{filter:brightness(.96)}
.result{display:grid;gap:8px;margin-block-start:12px}
.result[hidden],.code[hidden]{display:none}
.continue{display:grid;place-items:center;min-block-size:44px;border-radius:10px;background:var(--accent);color:var(--ink);font-weight:600}
.code{display:block;inline-size:200px;block-size:200px;margin:16px auto 4px;padding:10px;border-radius:12px;background:#fff}
.networks{display:grid;grid-template-columns:repeat(auto-fill,minmax(5.25rem,1fr));gap:6px;margin-block-start:16px;list-style:none}
.network{display:grid;justify-items:center;align-content:start;gap:6px;inline-size:100%;min-block-size:84px;padding:8px 2px;border:0;border-radius:12px;background:none;font-size:.8125rem;overflow-wrap:anywhere}
.network:hover{background:var(--tint)}
.network[aria-busy=true],.way[aria-busy=true]{opacity:.6}
.dot{display:grid;place-items:center;inline-size:46px;block-size:46px;border-radius:50%;background:var(--tint);font-size:1.25rem;font-weight:700;box-shadow:inset 0 0 0 1px light-dark(#0000,#ffffff38)}
.sheet-status{position:sticky;inset-block-end:0;margin-block-start:12px;padding:10px 14px;border-radius:10px;background:var(--text);color:var(--surface);text-align:center}
.sheet-status:empty{display:none}
@media (min-width:640px){.sheet{margin:auto;border-radius:20px}}
@media (prefers-reduced-motion:reduce){.sheet[open]{animation:none}}
`;

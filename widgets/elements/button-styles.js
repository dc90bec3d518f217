/**
 * How a share button looks. Comes after the sheet of all elements (styles.js), and stands in a line of text.
 */
export const BUTTON = `
:host(:not([hidden])){display:inline-block}
:host{inline-size:auto;max-inline-size:100%;container-type:normal;vertical-align:middle}
.room{display:grid;align-items:center;min-block-size:44px}
.share-button{display:inline-flex;align-items:center;justify-content:center;gap:8px;min-block-size:44px;max-inline-size:100%;padding:8px 16px;border:1px solid var(--edge);border-radius:calc(var(--round)*.6);background:var(--surface);font-weight:600;line-height:1.2;text-align:start;overflow-wrap:anywhere}
.share-button:hover{background:var(--tint)}
.share-button[aria-busy=true]{opacity:.7;cursor:progress}
.told{position:absolute;inset-block-start:calc(100% + 6px);inset-inline-start:0;z-index:1;inline-size:max-content;max-inline-size:16rem;padding:8px 12px;border-radius:10px;background:var(--text);color:var(--surface);font-size:.9375rem}
.told:empty{display:none}
`;

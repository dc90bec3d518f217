/**
 * The light colours of styles.js by themselves, for browsers that do not know `light-dark()` (Safari before 17.5).
 * Fetched by them alone. A test compares the two.
 */
import { adopt } from "./dom.js";

const LIGHT = `
section{color-scheme:light!important;
--text:var(--grapevine-text,#1d1a24);
--muted:var(--grapevine-muted,#625d6d);
--surface:var(--grapevine-surface,#fff);
--tint:var(--grapevine-tint,#f4f2f6);
--line:var(--grapevine-line,#e6e2eb);
--edge:#8d8699;
--like:var(--grapevine-like,#cf1f5a);
--accent:var(--grapevine-accent,var(--theme-accent,#5b2a86))}
`;

/** @param {ShadowRoot} root */
export const lighten = (root) => adopt(root, LIGHT);

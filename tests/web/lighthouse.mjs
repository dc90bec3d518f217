// Lighthouse on the address in the first argument, as a phone or a desktop (second) sees it, in the Chromium whose
// debugging port is the third. Writes {scores: {category: 0 to 100}, failures: [what cost points], warnings: [...]}.
import lighthouse, { desktopConfig } from "lighthouse";

const [address, form, port] = process.argv.slice(2);
const categories = ["performance", "accessibility", "best-practices", "seo"];
const flags = { port: Number(port), logLevel: "error", onlyCategories: categories, disableFullPageScreenshot: true };
const { lhr } = await lighthouse(address, flags, form === "desktop" ? desktopConfig : undefined);

const all = Object.values(lhr.categories);
const scores = Object.fromEntries(all.map(({ id, score }) => [id, Math.round((score ?? 0) * 100)]));
const counted = new Set(all.flatMap(({ auditRefs }) => auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => id)));
const told = ({ id, displayValue, details }) =>
  `${id} ${displayValue ?? ""} ${JSON.stringify(details?.items ?? []).slice(0, 500)}`;
const failures = Object.values(lhr.audits)
  .filter(({ id, score }) => counted.has(id) && score !== null && score < 0.9)
  .map(told);
process.stdout.write(JSON.stringify({ scores, failures, warnings: lhr.runWarnings }));

// html-validate on pages that come as JSON {name: html} at the standard input: a list of lines, one for each fault.
import { HtmlValidate } from "html-validate";

const rules = {
  "doctype-style": ["error", { style: "lowercase" }], // both mean the same; ours are lower-case throughout
  "no-trailing-whitespace": "off", // bytes, not meaning
  "long-title": "off", // a product is called what its merchant calls it
  "no-redundant-role": "off", // Safari takes a list without bullets for no list unless it says role="list"
  "no-implicit-input-type": "off", // text is what a field is by itself
  "prefer-native-element": ["error", { exclude: ["region"] }], // a <pre> that scrolls is a region to the keyboard
  "no-implicit-button-type": "off", // the buttons of our forms submit them, which is what a button does by itself
};
const judge = new HtmlValidate({ extends: ["html-validate:recommended"], rules });

const pages = JSON.parse(await new Response(process.stdin).text());
const faults = [];
for (const [name, html] of Object.entries(pages)) {
  const { results } = await judge.validateString(html);
  for (const { messages } of results) {
    for (const { line, column, ruleId, message } of messages) {
      faults.push(`${name}:${line}:${column}: ${ruleId}: ${message}: ${html.split("\n")[line - 1]?.slice(Math.max(0, column - 40), column + 120)}`);
    }
  }
}
process.stdout.write(JSON.stringify(faults));

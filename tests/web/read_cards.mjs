// Three readers of link cards, each on the addresses that are the arguments: what they make of a page, as JSON
// {address: {openGraphScraper, metascraper, unfurl}}. With --no-oembed nothing else is fetched.
import { createRequire } from "node:module";

import metascraper from "metascraper";
import description from "metascraper-description";
import image from "metascraper-image";
import title from "metascraper-title";
import ogs from "open-graph-scraper";

const { unfurl } = createRequire(import.meta.url)("unfurl.js");
const scrape = metascraper([title(), description(), image()]);
const AGENT = "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)";

const read = async (url, oembed) => {
  const answer = await fetch(url, { headers: { "user-agent": AGENT } });
  const html = await answer.text();
  const scraped = await ogs({ html });
  return {
    status: answer.status,
    openGraphScraper: scraped.result,
    metascraper: await scrape({ url, html }),
    unfurl: await unfurl(url, { oembed, headers: { "user-agent": AGENT } }),
  };
};

const given = process.argv.slice(2);
const oembed = !given.includes("--no-oembed");
const addresses = given.filter((one) => !one.startsWith("--"));
const seen = await Promise.all(addresses.map(async (address) => [address, await read(address, oembed)]));
process.stdout.write(JSON.stringify(Object.fromEntries(seen)));

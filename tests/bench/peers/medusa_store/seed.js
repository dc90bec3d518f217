/** Four products in a channel of sales, and the key by which a storefront asks for them. */
const { writeFileSync } = require("node:fs");
const flows = require("@medusajs/medusa/core-flows");

module.exports.default = async function seed({ container }) {
  const make = async (flow, input) => (await flow(container).run({ input })).result;
  const [channel] = await make(flows.createSalesChannelsWorkflow, { salesChannelsData: [{ name: "Wall" }] });
  const [profile] = await make(flows.createShippingProfilesWorkflow, { data: [{ name: "Default", type: "default" }] });
  const key = { title: "Wall", type: "publishable", created_by: "" };
  const [made] = await make(flows.createApiKeysWorkflow, { api_keys: [key] });
  await make(flows.linkSalesChannelsToApiKeyWorkflow, { id: made.id, add: [channel.id] });
  const variant = {
    title: "M",
    options: { Size: "M" },
    prices: [{ amount: 19.99, currency_code: "eur" }],
    manage_inventory: false,
  };
  const products = Array.from({ length: 4 }, (_, number) => ({
    title: `Mug ${number}`,
    status: "published",
    shipping_profile_id: profile.id,
    options: [{ title: "Size", values: ["M"] }],
    variants: [variant],
    sales_channels: [{ id: channel.id }],
  }));
  await make(flows.createProductsWorkflow, { products });
  writeFileSync("key.txt", made.token);
};

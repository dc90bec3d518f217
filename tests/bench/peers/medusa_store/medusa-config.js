const { defineConfig } = require("@medusajs/framework/utils");
const secret = "secret-of-the-benchmark";
module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    http: { storeCors: "*", adminCors: "*", authCors: "*", jwtSecret: secret, cookieSecret: secret },
  },
  admin: { disable: true },
});

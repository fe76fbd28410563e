// A certified OpenID provider on loopback, for tests: prints its port, reads the redirect URI, serves until
// its standard input ends. Its certificate comes from the test's own authority.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:https";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.TROTH_TEST_PACKAGES}/`);
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

let handler = null;
const server = createServer(
  { key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERTIFICATE) },
  (request, response) => handler(request, response),
);
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `https://localhost:${server.address().port}`;
console.log(issuer);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { value: redirect } = await lines.next();
const people = {
  grace: { sub: "grace", preferred_username: "Grace", email: "grace@work.example", email_verified: true, groups: ["auditors"] },
  eve: { sub: "eve", preferred_username: "Eve", email: "eve@evil.example", email_verified: true, groups: [] },
};
// Its tokens are signed on the curve P-256, as newer services do.
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256" };
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  clients: [
    {
      client_id: "troth",
      client_secret: process.env.CLIENT_SECRET,
      id_token_signed_response_alg: "ES256",
      redirect_uris: [redirect],
      post_logout_redirect_uris: [new URL("/sign-in", redirect).href],
    },
  ],
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["a test's key"] },
  pkce: { required: () => true },
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => people[id] },
});
handler = provider.callback();
console.log("ready");
for await (const _ of lines);
process.exit(0);

// What Mozilla's HTTP observatory gives, to the sign-in page by `localhost` and to a page of somebody who is
// signed in by a public name. A strange port, a local authority, where the public name is, and a cookie are all
// it is told about this instance; the tests and the points are its own.
import dns from "node:dns";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const observatory = join(process.env.TROTH_TEST_PACKAGES, "@mdn/mdn-http-observatory/src");
// Its list of preloaded names is fetched when it is installed with scripts; ours is in no such list.
const preloaded = join(observatory, "../conf/hsts-preload.json");
if (!existsSync(preloaded)) writeFileSync(preloaded, "{}");
const load = (path) => import(pathToFileURL(join(observatory, path)).href);
const [{ retrieve }, { ALL_TESTS }, { getScoreModifier, getGradeForScore }] = await Promise.all([
  load("retriever/retriever.js"),
  load("constants.js"),
  load("grader/grader.js"),
]);

const { TROTH_NAME: name, TROTH_PORT: port, TROTH_COOKIE: cookie } = process.env;
const { lookup } = dns;
dns.lookup = (asked, ...more) => lookup(asked === name ? "127.0.0.1" : asked, ...more);

async function scan(host, path, headers) {
  const requests = await retrieve(host, { httpsPort: Number(port), path, headers });
  if (!requests.responses.https) throw new Error(`the scanner did not reach ${host}`);
  let score = 100;
  for (const test of ALL_TESTS) {
    const { result, pass } = test(requests);
    const points = getScoreModifier(result);
    score += points;
    console.log(`${points >= 0 ? " " : ""}${points}`.padStart(5), pass ? "passed" : "failed", test.name, result);
  }
  console.log(host, path, "score", score, getGradeForScore(score).grade);
  return score;
}

const html = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
// Of 145 the last five go to names that are built into browsers.
const known = await scan(name, "/account", [html, `Cookie: ${cookie}`]);
if (known !== 140) throw new Error(`${known} points instead of 140`);
// HSTS binds a whole host name, so `localhost` is not told of it, and a stranger gets no cookie.
const stranger = await scan("localhost", "/sign-in", [html]);
if (stranger !== 115) throw new Error(`${stranger} points instead of 115`);
console.log("the conversation is complete");

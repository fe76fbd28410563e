// What Mozilla's HTTP observatory gives the sign-in page. A strange port and a local authority are all it is
// told about this instance; the tests and the points are its own.
import { existsSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

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

const place = new URL(process.env.OPENAI_BASE_URL);
const requests = await retrieve(place.hostname, { httpsPort: Number(place.port), path: "/sign-in" });
if (!requests.responses.https) throw new Error("the scanner reached nothing");

let score = 100;
const lost = [];
for (const test of ALL_TESTS) {
  const { result, pass } = test(requests);
  const points = getScoreModifier(result);
  score += points;
  console.log(`${points >= 0 ? " " : ""}${points}`.padStart(5), pass ? "passed" : "failed", test.name, result);
  // HSTS and the redirect from plain HTTP bind a whole host name: `localhost` is told neither.
  if (points < 0) lost.push({ name: test.name, result });
}
console.log("score", score, getGradeForScore(score).grade);
const expected = new Set(["strictTransportSecurityTest", "redirectionTest"]);
const unexpected = lost.filter(({ name }) => !expected.has(name));
if (unexpected.length > 0) throw new Error(`points were lost: ${JSON.stringify(unexpected)}`);
console.log("the conversation is complete");

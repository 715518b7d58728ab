// node validate.mjs FILE...: prints, for each file, what Khronos' validator says, as JSON {path: issues}.
import { readFile } from "node:fs/promises";
import { validateBytes } from "gltf-validator";

const report = {};
for (const path of process.argv.slice(2)) {
  const { issues } = await validateBytes(new Uint8Array(await readFile(path)), { maxIssues: 50 });
  report[path] = issues;
}
console.log(JSON.stringify(report));

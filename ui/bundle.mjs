// SPDX-License-Identifier: MIT
//
// bundle - makes one page a C source with a table of its files (src/serve/asset.h), each packed
// with gzip: src/PAGE/page.html as it is, src/PAGE/main.tsx with all it imports as PAGE.js, and the
// style sheets that these import as PAGE.css.
//
// usage: node bundle.mjs PAGE OUT.c DEPFILE
import {build} from "esbuild";
import {createHash} from "node:crypto";
import {readFileSync, writeFileSync} from "node:fs";
import {dirname, extname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {gzipSync} from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

const root = dirname(fileURLToPath(import.meta.url));
const [page, out, depfile] = process.argv.slice(2);
const html = join(root, "src", page, "page.html");

const bundle = await build({
  absWorkingDir: root,
  entryPoints: {[page]: join("src", page, "main.tsx")},
  outdir: "never-written",
  write: false,
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});

function cBytes(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 20)
    lines.push(bytes.subarray(i, i + 20).join(","));
  return lines.join(",\n");
}

const files = [
  {name: `${page}.html`, bytes: readFileSync(html)},
  ...bundle.outputFiles.map((file) => ({name: page + extname(file.path), bytes: file.contents})),
];
let arrays = "", rows = "";
for (const [i, {name, bytes}] of files.entries()) {
  const packed = gzipSync(bytes, {level: 9});
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);

  packed[9] = 255; // The system it was packed on: unknown, so that all systems build the same.
  arrays += `static const unsigned char packed_${i}[] = {\n${cBytes(packed)}\n};\n`;
  rows += `\t{ "${name}", "${TYPES[extname(name)]}", "W/\\"${tag}\\"", packed_${i}, ` +
    `sizeof(packed_${i}), ${bytes.length} },\n`;
}
writeFileSync(out, `#include "serve/asset.h"\n\n${arrays}\n` +
  `extern const struct asset assets_${page}[];\n` +
  `const struct asset assets_${page}[] = {\n${rows}\t{ NULL },\n};\n`);

const inputs = [html, ...Object.keys(bundle.metafile.inputs).map((path) => resolve(root, path)),
  fileURLToPath(import.meta.url), join(root, "package-lock.json")];
writeFileSync(depfile, `${out}: ${inputs.map((path) => path.replace(/ /g, "\\ ")).join(" ")}\n`);

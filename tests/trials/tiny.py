"""Tiny pure-Python wheels, built on the spot: names and versions of real packages, a few lines each."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

GUARD = """\
import importlib.metadata
_found = importlib.metadata.version("tokenizers")
if not _found.startswith("{tokenizers}"):
    raise ImportError(f"tokenizers>={tokenizers} is required for a normal functioning of this module, but found tokenizers=={{_found}}.")
from huggingface_hub import snapshot_download
import tokenizers
from tokenizers import Tokenizer
"""

JAX = """\
import jaxlib.version
if jaxlib.version.__version__ != "0.10.2":
    raise RuntimeError(f"jaxlib version {jaxlib.version.__version__} is incompatible with jax version 0.10.2")
"""

# name, version, requirements, files
WHEELS: list[tuple[str, str, list[str], dict[str, str]]] = [
    ("transformers", "4.57.1", ["tokenizers<=0.23.0,>=0.22.0", "huggingface-hub<1.0,>=0.34.0"],
     {"transformers/__init__.py": GUARD.format(tokenizers="0.22"),
      "transformers/modeling_layers.py": "class GradientCheckpointingLayer:\n    pass\n"}),
    ("transformers", "4.46.3", ["tokenizers<0.21,>=0.20", "huggingface-hub<1.0,>=0.23.2"],
     {"transformers/__init__.py": GUARD.format(tokenizers="0.20")}),
    ("tokenizers", "0.22.2", ["huggingface-hub<2.0,>=0.16.4"],
     {"tokenizers/__init__.py": "__version__ = '0.22.2'\nclass Tokenizer:\n    pass\n"}),
    ("tokenizers", "0.20.3", ["huggingface-hub<1.0,>=0.16.4"],
     {"tokenizers/__init__.py": "__version__ = '0.20.3'\nclass Tokenizer:\n    pass\n"}),
    ("huggingface-hub", "0.36.2", [],
     {"huggingface_hub/__init__.py": "__version__ = '0.36.2'\ndef snapshot_download():\n    pass\n"}),
    ("peft", "0.18.0", ["transformers"],
     {"peft/__init__.py": "from transformers.modeling_layers import GradientCheckpointingLayer\n"}),
    ("jax", "0.10.2", ["jaxlib<=0.10.2,>=0.10.2"], {"jax/__init__.py": JAX}),
    ("jaxlib", "0.10.2", [], {"jaxlib/__init__.py": "", "jaxlib/version.py": "__version__ = '0.10.2'\n"}),
    ("jaxlib", "0.9.1", [], {"jaxlib/__init__.py": "", "jaxlib/version.py": "__version__ = '0.9.1'\n"}),
    # What the real jaxlib requires: a plan that brings another jaxlib finds it there.
    ("ml-dtypes", "0.6.0", [], {"ml_dtypes/__init__.py": ""}),
    ("scipy", "1.17.1", [], {"scipy/__init__.py": ""}),
    ("numpy", "2.4.6", [], {"numpy/__init__.py": "__version__ = '2.4.6'\n"}),
    ("tinyalpha", "2.0", [], {"tinyalpha.py": "new = 2\n"}),
]


def recorded(member: str, text: str) -> str:
    """A line of RECORD, as every wheel has it."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{member},sha256={digest},{len(text.encode())}\n"


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, version, requirements, files in WHEELS:
        stem = f"{name.replace('-', '_')}-{version}"
        path = folder / f"{stem}-py3-none-any.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\n"
        metadata += "".join(f"Requires-Dist: {one}\n" for one in requirements)
        members = {
            **files,
            f"{stem}.dist-info/METADATA": metadata + "\n",
            f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(recorded(member, text) for member, text in members.items()) + f"{stem}.dist-info/RECORD,,\n"
        with zipfile.ZipFile(path, "w") as wheel:
            for member, text in {**members, f"{stem}.dist-info/RECORD": record}.items():
                wheel.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), text)

"""The faults that the trials plant, and the sound environments beside them.

Written from the point of view of people who break environments in real life,
before gpudoc was tried on any of them. `trials.py` reads `FAULTS` and `BASES`.

A fault has a plant: a list of steps, each a function of the environment. The
probes are Python snippets: all work before the plant, and at least one must
fail after it, else the fault is invalid (`latent=True`: the harm is not one
that a probe can show on this machine). `names` are the packages (or `kind:K`,
or `word:W` for a word of the title) that a good first finding is about.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

# --------------------------------------------------------------------- bases

TINY = "tiny"  # wheels built on the spot, see `tiny.py`


@dataclass
class Base:
    """An environment that is built once and copied for each trial."""

    python: str
    requirements: list[str]
    probes: dict[str, str]
    prefix: bool = False  # an interpreter's own site-packages, no venv
    pip: bool = True  # pip is installed in it
    installer: str = "uv"
    tiny: bool = False
    no_deps: bool = False


IMPORT_TORCH = "import torch; assert (torch.ones(3) @ torch.ones(3)).item() == 3"
TOKENIZER = (
    "from tokenizers import Tokenizer, models; Tokenizer(models.BPE())\n"
    "from transformers import AutoTokenizer, AutoConfig, PreTrainedTokenizerFast"
)
HF = ["transformers==4.57.1", "tokenizers==0.22.2", "huggingface_hub==0.36.2", "numpy==2.4.6"]
HF_PROBES = {
    "transformers": TOKENIZER,
    "hub": "from huggingface_hub import HfApi, snapshot_download; HfApi()",
    "safetensors": "import numpy; from safetensors.numpy import save; save({'a': numpy.ones(3)})",
}

BASES: dict[str, Base] = {
    "torch": Base(
        "3.11",
        ["torch==2.15.0", "torchvision==0.29.2", "torchaudio==2.11.1", "torchao==0.18.0",
         "accelerate==1.15.0", "peft==0.21.2", *HF],
        {
            "torch": IMPORT_TORCH,
            "torchvision": "import torch, torchvision; from torchvision.ops import nms\n"
            "nms(torch.tensor([[0., 0., 1., 1.]]), torch.tensor([1.]), .5)",
            "torchaudio": "import torch, torchaudio; import torchaudio.functional as F\n"
            "F.lfilter(torch.ones(1, 8), torch.tensor([1., .5]), torch.tensor([1., .5]))",
            "trainer": "from transformers import BertConfig, BertModel, TrainingArguments\n"
            "TrainingArguments(output_dir='out', use_cpu=True)",
            "peft": "from peft import LoraConfig, get_peft_model; import accelerate",
        },
    ),
    "hf": Base(
        "3.11",
        [*HF, "diffusers==0.39.0", "datasets==5.0.1", "sentencepiece"],
        {
            **HF_PROBES,
            "datasets": "import datasets; assert len(datasets.Dataset.from_dict({'a': [1, 2]})) == 2",
            "diffusers": "import diffusers; diffusers.__version__",
        },
    ),
    "hf-uv": Base("3.11", [*HF], HF_PROBES, pip=False),
    "hf-pip": Base("3.11", [*HF], HF_PROBES, installer="pip"),
    "hf-39": Base(
        "3.9",
        ["transformers==4.57.1", "tokenizers==0.22.1", "huggingface_hub==0.36.0", "numpy<2.1"],
        HF_PROBES,
    ),
    "hf-system": Base("3.11", [*HF], HF_PROBES, prefix=True, installer="pip"),
    "sci": Base(
        "3.12",
        ["numpy==2.3.5", "scipy==1.18.1", "pandas==3.1.1", "scikit-learn==1.9.1", "numba==0.68.1",
         "matplotlib==3.11.2", "h5py==3.16.0"],
        {
            "numpy": "import numpy as np; assert np.dot(np.ones(3), np.ones(3)) == 3",
            "scipy": "import scipy.stats; scipy.stats.norm.cdf(0)",
            "pandas": "import pandas as pd; pd.DataFrame({'a': [1, 2]}).sum()",
            "sklearn": "from sklearn.linear_model import LinearRegression as L; L().fit([[1], [2]], [1, 2])",
            "numba": "import numba; assert numba.njit(lambda x: x + 1)(1) == 2",
            "matplotlib": "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as p; p.plot([1, 2])",
            "h5py": "import h5py; h5py.File('x.h5', 'w', driver='core', backing_store=False)",
        },
    ),
    "proto": Base(
        "3.12",
        ["onnx==1.23.2", "tensorboard==2.21.0", "grpcio-status==1.85.3", "onnxruntime==1.32.0",
         "protobuf==7.36.2", "numpy==2.4.6", "setuptools"],
        {
            "protobuf": "from google.protobuf import timestamp_pb2; timestamp_pb2.Timestamp()",
            "onnx": "import onnx; onnx.helper.make_tensor_value_info('x', 1, [1])",
            "onnxruntime": "import onnxruntime as o; assert 'CPUExecutionProvider' in o.get_available_providers()\n"
            "o.SessionOptions()",
            "tensorboard": "import tensorboard.main; from tensorboard import default; default.get_plugins()",
            "grpc": "from grpc_status import rpc_status",
        },
    ),
    "web": Base(
        "3.12",
        ["pydantic==2.14.4", "fastapi==0.165.0", "openai==3.57.0", "langchain-core==1.8.3",
         "pydantic-settings==2.16.3"],
        {
            "pydantic": "import pydantic; M = pydantic.create_model('M', a=(int, 1)); M(a='2')",
            "fastapi": "import fastapi; fastapi.FastAPI()",
            "openai": "import openai; openai.OpenAI(api_key='x')",
            "langchain": "from langchain_core.messages import HumanMessage; HumanMessage('x')",
            "settings": "import pydantic_settings",
        },
    ),
    "jax": Base(
        "3.11",
        ["jax==0.10.2", "jaxlib==0.10.2", "flax==0.12.8", "optax==0.2.8", "chex==0.1.92",
         "numpy==2.4.6", "scipy==1.17.1"],
        {
            "jax": "import jax, jax.numpy as jnp; assert float(jax.jit(jnp.sum)(jnp.ones(3))) == 3",
            "flax": "import flax.linen as nn; nn.Dense(3)",
            "optax": "import optax; optax.adam(1e-3)",
            "chex": "import chex",
        },
    ),
    "jax-0.4": Base(
        "3.11",
        ["jax==0.4.35", "jaxlib==0.4.35", "numpy==2.1.3", "scipy==1.14.1", "ml_dtypes==0.5.0"],
        {"jax": "import jax, jax.numpy as jnp; assert float(jax.jit(jnp.sum)(jnp.ones(3))) == 3"},
    ),
    "ort-gpu": Base(
        "3.12",
        ["onnxruntime-gpu==1.31.1", "numpy==2.4.6"],
        {"onnxruntime": "import onnxruntime as o; o.SessionOptions(); o.get_available_providers()",
         "provider": "import onnxruntime as o; assert 'CUDAExecutionProvider' in o.get_available_providers()"},
    ),
    "cv": Base(
        "3.12",
        ["opencv-python-headless==5.0.0.93", "albumentations==2.0.8", "numpy==2.4.6", "scipy==1.17.1"],
        {
            "cv2": "import cv2, numpy as np; cv2.resize(np.zeros((4, 4), 'u1'), (2, 2))",
            "albumentations": "import albumentations as A; A.Compose([A.HorizontalFlip()])",
        },
    ),
    "cv-contrib": Base(
        "3.12",
        ["opencv-contrib-python-headless==4.13.0.92", "numpy==2.4.6"],
        {
            "cv2": "import cv2, numpy as np; cv2.resize(np.zeros((4, 4), 'u1'), (2, 2))",
            "contrib": "import cv2; cv2.ximgproc.createStructuredEdgeDetection; cv2.xfeatures2d",
        },
    ),
    TINY: Base(
        "3.11",
        ["transformers==4.57.1", "tokenizers==0.22.2", "huggingface-hub==0.36.2", "peft==0.18.0",
         "jax==0.10.2", "jaxlib==0.10.2", "numpy==2.4.6", "tinyalpha==2.0"],
        {
            "transformers": "import transformers",
            "hub": "import huggingface_hub",
            "peft": "import peft",
            "jax": "import jax",
            "tinyalpha": "import tinyalpha",
        },
        tiny=True,
    ),
}

# --------------------------------------------------------------------- steps
# A step is a function of the environment (`trials.Env`).

Step = Callable[["object"], None]


def install(*requirements: str) -> Step:
    """`pip install --no-deps`, as people do it to get past the resolver."""
    return lambda env: env.uv("install", "--no-deps", *requirements)


def pip_install(*arguments: str) -> Step:
    return lambda env: env.pip("install", *arguments)


def uninstall(*names: str) -> Step:
    return lambda env: env.uv("uninstall", *names)


def rm(pattern: str) -> Step:
    """Deletes what matches below site-packages."""

    def step(env):
        for path in env.find(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    return step


def empty(pattern: str) -> Step:
    return lambda env: [env.replace(path, b"") for path in env.find(pattern)]


def cut(pattern: str, keep: float = 0.5, most: int = 1 << 20) -> Step:
    """The head of a file only: a full disk, a killed install."""

    def step(env):
        for path in env.find(pattern):
            size = min(most, int(path.stat().st_size * keep))
            with path.open("rb") as file:
                head = file.read(size)
            env.replace(path, head)

    return step


def edit(pattern: str, old: str, new: str) -> Step:
    def step(env):
        for path in env.find(pattern):
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            assert old in text, f"{path}: {old!r} is not there"
            env.replace(path, text.replace(old, new, 1).encode("utf-8", "surrogateescape"))

    return step


def write(pattern: str, text: str) -> Step:
    """A file relative to site-packages."""
    return lambda env: env.replace(env.site / pattern, text.encode())


def set_env(**variables: str) -> Step:
    """Environment variables; `{env}`, `{home}`, `{work}`, `{beside}` are filled in."""
    return lambda env: env.environ.update({k: env.fill(v) for k, v in variables.items()})


def beside(*arguments: str, to: str = "{beside}/lib") -> Step:
    """Packages put into a folder of their own: `pip install --target`."""
    return lambda env: env.uv("install", "--no-deps", "--target", env.fill(to), *arguments)


def foreign(requirement: str, *, platform: str | None = None, python: str | None = None) -> Step:
    """A wheel of another platform or Python, installed over this environment's."""

    def step(env):
        name = requirement.split("==")[0]
        env.uv("uninstall", name)
        arguments = ["install", "--no-deps", "--only-binary", ":all:", "--no-compile", "--target", str(env.site)]
        if platform:
            arguments += ["--platform", platform]
        if python:
            arguments += ["--python-version", python, "--implementation", "cp", "--abi", "cp" + python.replace(".", "")]
        env.pip(*arguments, requirement)

    return step


def user_site(*requirements: str) -> Step:
    return lambda env: env.pip("install", "--user", "--no-deps", "--ignore-installed",
                               "--break-system-packages", *requirements)


def managed(env) -> None:
    """Debian's marker: pip refuses to install here."""
    marker = env.stdlib / "EXTERNALLY-MANAGED"
    env.replace(marker, b"[externally-managed]\nError=To install Python packages system-wide, use apt or a venv.\n")


def cwd_file(name: str, text: str) -> Step:
    def step(env):
        path = env.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return step


def dist_info(name: str, version: str, record: str = "", says: str | None = None) -> Step:
    """A second, stale dist-info; `says` is the name in its METADATA."""

    def step(env):
        folder = env.site / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {says or name}\nVersion: {version}\n\n")
        (folder / "INSTALLER").write_text("pip\n")
        (folder / "RECORD").write_text(record + f"{folder.name}/METADATA,,\n{folder.name}/INSTALLER,,\n{folder.name}/RECORD,,\n")

    return step


def rename_in_site(old: str, new: str) -> Step:
    return lambda env: (env.site / old).rename(env.site / new)


def editable(name: str) -> Step:
    """The package as a checkout beside, installed with `-e`: a `.pth` and a dist-info with direct_url."""

    def step(env):
        source = env.beside / "src"
        source.mkdir(exist_ok=True)
        shutil.copytree(env.site / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.rmtree(env.site / name)
        info = next(env.site.glob(f"{name}-*.dist-info"))
        env.replace(env.site / f"__editable__.{name}.pth", f"{source}\n".encode())
        env.replace(info / "direct_url.json",
                    ('{"url": "file://%s", "dir_info": {"editable": true}}' % source).encode())
        kept = [line for line in (info / "RECORD").read_text().splitlines() if line.startswith(info.name)]
        kept += [f"__editable__.{name}.pth,,", f"{info.name}/direct_url.json,,"]
        env.replace(info / "RECORD", ("\n".join(kept) + "\n").encode())

    return step


def source_gone(env) -> None:
    shutil.rmtree(env.beside / "src")


def moved(env) -> None:
    """`mv project/venv elsewhere`: the scripts still name the old place."""
    env.move()


def interpreter_gone(env) -> None:
    env.dangle()


def interpreter_changed(to: str) -> Step:
    """The distribution's upgrade: the venv's Python is another one now."""
    return lambda env: env.change_interpreter(to, rename=True)


def interpreter_swapped(to: str) -> Step:
    return lambda env: env.change_interpreter(to, rename=False)


def no_pyvenv_cfg(env) -> None:
    (env.path / "pyvenv.cfg").unlink()


def symlinks_dangle(name: str) -> Step:
    """`uv cache clean` after an install with `--link-mode symlink`."""

    def step(env):
        for path in sorted((env.site / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                path.unlink()
                path.symlink_to(env.beside / "cleaned-cache" / path.name)
        for cache in list((env.site / name).rglob("__pycache__")):
            shutil.rmtree(cache)

    return step


def system_site(*requirements: str) -> Step:
    """A venv with `--system-site-packages` over the prefix base, with packages of its own."""
    return lambda env: env.over_system(*requirements)


# --------------------------------------------------------------------- faults


@dataclass
class Fault:
    name: str
    kind: str
    base: str
    plant: list[Step]
    names: set[str] = field(default_factory=set)
    probes: dict[str, str] = field(default_factory=dict)  # beside those of the base
    prepare: list[Step] = field(default_factory=list)  # still sound after these
    latent: bool = False
    ci: bool = False
    sound: bool = False
    later: str = ""  # why it is not caught yet: CI does not ask for it
    note: str = ""


FAULTS: list[Fault] = []


def fault(name: str, kind: str, base: str, plant: list[Step], names: str, probes: dict[str, str] | None = None, **rest) -> None:
    FAULTS.append(Fault(name, kind, base, plant, set(names.split()), probes or {}, **rest))


def sound(name: str, base: str, plant: list[Step] | None = None, probes: dict[str, str] | None = None, **rest) -> None:
    FAULTS.append(Fault(name, "sound", base, plant or [], set(), probes or {}, sound=True, **rest))


# Partner mismatch, declared by the metadata.
K = "partner-declared"
fault("torchvision-0.22", K, "torch", [install("torchvision==0.22.1")], "torchvision")
fault("torchaudio-2.5", K, "torch", [install("torchaudio==2.5.1")], "torchaudio")
fault("sklearn-numpy1-abi", K, "sci", [install("scikit-learn==1.3.2")], "scikit-learn")
fault("matplotlib-numpy1-abi", K, "sci", [install("matplotlib==3.8.0")], "matplotlib")
fault("albucore-old", K, "cv", [install("albucore==0.0.17")], "albucore albumentations")
fault("starlette-old", K, "web", [install("starlette==0.20.4")], "starlette fastapi")
fault("numpy-1.26-under-scipy", K, "sci", [install("numpy==1.26.4")], "numpy")

# Partner mismatch that no metadata declares.
K = "partner-undeclared"
fault("peft-0.18-transformers-4.46", K, "torch",
      [install("peft==0.18.0", "transformers==4.46.3", "tokenizers==0.20.3")], "peft transformers")
fault("diffusers-0.21-hub", K, "hf", [install("diffusers==0.21.4")], "diffusers huggingface_hub")
fault("sentence-transformers-2.2", K, "torch", [install("sentence-transformers==2.2.2")],
      "sentence-transformers huggingface_hub", {"st": "from sentence_transformers import SentenceTransformer"},
      prepare=[lambda env: env.uv("install", "sentence-transformers==5.1.2", "scikit-learn==1.7.2", "nltk", "sentencepiece")])
fault("timm-torch-six", K, "torch", [install("timm==0.3.2")], "timm torch",
      {"timm": "import timm; timm.list_models()"}, prepare=[install("timm==1.0.22")])
fault("imgaug-numpy2", K, "cv", [install("numpy==2.2.6", "imgaug==0.4.0", "six", "imageio==2.37.0", "scikit-image==0.25.2", "lazy_loader", "networkx", "shapely", "packaging", "pillow", "tifffile==2025.5.10")],
      "numpy", {"imgaug": "import imgaug"},
      prepare=[install("numpy==1.26.4", "imgaug==0.4.0", "six", "imageio==2.37.0", "scikit-image==0.25.2", "lazy_loader", "networkx", "shapely", "packaging", "pillow", "tifffile==2025.5.10", "scipy==1.15.3")])
fault("h5py-3.10-numpy2", K, "sci", [install("h5py==3.10.0")], "h5py numpy")
fault("openai-1.30-httpx-0.28", K, "web", [install("openai==1.30.0", "tqdm")], "openai httpx")
fault("flax-0.7-jax", K, "jax", [install("flax==0.7.0")], "flax jax")
fault("optax-0.1.3-jax", K, "jax", [install("optax==0.1.3")], "optax jax")
fault("chex-0.1.5-jax", K, "jax", [install("chex==0.1.5", "dm-tree", "attrs", "wrapt")], "chex jax")
fault("bitsandbytes-triton-ops", K, "torch", [install("bitsandbytes==0.44.1")], "bitsandbytes triton",
      {"bnb": "import bitsandbytes; bitsandbytes.nn.Linear8bitLt"}, prepare=[install("bitsandbytes==0.50.0")])
fault("tensorboard-pkg-resources", K, "proto", [install("tensorboard==2.14.1", "setuptools==84.2.1")],
      "tensorboard setuptools")
fault("torchtext-abi", K, "torch", [install("torchtext==0.18.0")], "torchtext",
      {"torchtext": "import torchtext"}, note="no torchtext for this torch exists: nothing to verify before", latent=True)
fault("torchao-0.4", K, "torch", [install("torchao==0.4.0")], "torchao",
      {"torchao": "import torchao.quantization; from torchao.quantization import quantize_"})

# Removed.
K = "removed"
fault("numpy-gone", K, "hf", [uninstall("numpy")], "numpy")
fault("cublas-gone", K, "torch", [uninstall("nvidia-cublas")], "nvidia-cublas")
fault("cudnn-gone", K, "torch", [uninstall("nvidia-cudnn-cu13")], "nvidia-cudnn-cu13")
fault("nccl-gone", K, "torch", [uninstall("nvidia-nccl-cu13")], "nvidia-nccl-cu13")
fault("nvidia-folder-rm", K, "torch", [rm("nvidia/cu13/lib/libcusparse.so*")], "nvidia-cusparse word:libcusparse")
fault("regex-rm-rf", K, "hf", [rm("regex")], "regex")
fault("packaging-gone", K, "hf-pip", [uninstall("packaging")], "packaging")
fault("jaxlib-gone", K, "jax", [uninstall("jaxlib")], "jaxlib")
fault("typing-extensions-gone", K, "web", [uninstall("typing-extensions")], "typing-extensions")
fault("safetensors-gone-uv", K, "hf-uv", [uninstall("safetensors")], "safetensors")
fault("submodule-rm", K, "hf", [rm("transformers/models/auto/tokenization_auto.py")], "transformers")

# Downgraded.
K = "downgraded"
fault("safetensors-0.3", K, "hf", [install("safetensors==0.3.3")], "safetensors")
fault("typing-extensions-4.5", K, "web", [install("typing-extensions==4.5.0")], "typing-extensions")
fault("pyarrow-old", K, "hf", [install("pyarrow==12.0.1", "numpy==1.26.4")], "pyarrow")
fault("fsspec-old", K, "hf", [install("fsspec==0.8.0")], "fsspec")
fault("triton-3.2", K, "torch", [install("triton==3.2.0")], "triton torch",
      {"inductor": "import torch._inductor.runtime.triton_heuristics, torch._inductor.codegen.triton\n"
       "from torch._inductor.runtime import triton_helpers"}, latent=True,
      note="torch pins its triton; what fails is the compiling, on a GPU")
fault("accelerate-0.20", K, "torch", [install("accelerate==0.20.3")], "accelerate")
fault("llvmlite-old", K, "sci", [install("llvmlite==0.46.0")], "llvmlite")

# Guards at import: versions that a package itself refuses.
K = "guard"
fault("tokenizers-0.20", K, "hf", [install("tokenizers==0.20.3")], "tokenizers")
fault("tokenizers-0.23-too-new", K, "hf-pip", [pip_install("--no-deps", "tokenizers==0.23.3")], "tokenizers transformers")
fault("hub-2-too-new", K, "hf-uv", [lambda env: env.uv("install", "huggingface_hub==2.4.0")], "huggingface_hub transformers")
fault("hub-0.20", K, "hf", [install("huggingface_hub==0.20.3")], "huggingface_hub")
fault("numba-numpy-2.5-guard", K, "sci", [install("numba==0.61.2", "llvmlite==0.44.0", "numpy==2.4.6")], "numba numpy")
fault("protobuf-3.20", K, "proto", [install("protobuf==3.20.3")], "protobuf")
fault("protobuf-5", K, "proto", [install("protobuf==5.29.5")], "protobuf")
fault("pydantic-core-other", K, "web", [install("pydantic-core==2.41.5")], "pydantic-core pydantic")
fault("pydantic-1", K, "web", [install("pydantic==1.10.24")], "pydantic")
fault("tqdm-old", K, "hf", [install("tqdm==4.19.9")], "tqdm")
fault("numpy-1-guard-jax", K, "jax", [install("numpy==1.26.4")], "numpy")

# Overwritten and shadowed by other files.
K = "overwritten"
fault("target-upgrade-mixture", K, "hf-pip",
      [lambda env: env.pip("install", "--no-deps", "--upgrade", "--target", str(env.site), "tokenizers==0.19.1")],
      "tokenizers")
fault("init-overwritten", K, "hf", [write("huggingface_hub/constants.py", "# local debugging copy\nENDPOINT = 'x'\n")],
      "huggingface_hub")
fault("unzipped-over", K, "sci", [beside("pandas==2.2.3"),
      lambda env: env.copy_over("pandas")], "pandas")
fault("pynvml-over-nvidia-ml-py", K, "torch", [install("pynvml==8.0.4")], "pynvml nvidia-ml-py",
      {"nvml": "import pynvml; pynvml.nvmlDeviceGetGpuFabricInfo; pynvml.NVMLError"},
      prepare=[install("nvidia-ml-py==13.580.82")])

# Doubled NVIDIA wheels: two that write the same file names.
K = "doubled-nvidia"
fault("nccl-cu12-over", K, "torch", [install("nvidia-nccl-cu12==2.20.5")], "nvidia-nccl-cu12 nvidia-nccl-cu13")
fault("nvshmem-cu12-over", K, "torch", [install("nvidia-nvshmem-cu12==3.2.5")], "nvidia-nvshmem-cu12 nvidia-nvshmem-cu13",
      {"nvshmem": "import glob, os, site; p = os.path.join(site.getsitepackages()[0], 'nvidia', 'nvshmem', 'lib', 'libnvshmem_host.so.3')\n"
       "s = open(p, 'rb').read(); assert b'libcudart.so.12' not in s and b'CUDA 12' not in s"}, latent=True)
fault("nccl-twin-uninstalled", K, "torch", [install("nvidia-nccl-cu12==2.20.5"), uninstall("nvidia-nccl-cu12")],
      "nvidia-nccl-cu13 word:libnccl", note="the other twin was uninstalled again, and took the files with it")

# Cut and empty files.
K = "cut"
fault("libtorch-cpu-cut", K, "torch", [cut("torch/lib/libtorch_cpu.so")], "torch")
fault("libcublaslt-empty", K, "torch", [empty("nvidia/cu13/lib/libcublasLt.so.13")], "nvidia-cublas")
fault("numpy-init-empty", K, "sci", [empty("numpy/__init__.py")], "numpy")
fault("tokenizers-so-cut", K, "hf", [cut("tokenizers/tokenizers.abi3.so")], "tokenizers")
fault("jaxlib-so-cut", K, "jax", [cut("jaxlib/libjax_common.so")], "jaxlib")
fault("pydantic-core-so-empty", K, "web", [empty("pydantic_core/_pydantic_core*.so")], "pydantic-core")
fault("hub-metadata-empty", K, "hf", [empty("huggingface_hub-*.dist-info/METADATA")], "huggingface_hub")
fault("transformers-module-cut", K, "hf", [cut("transformers/utils/generic.py")], "transformers")
fault("cv2-so-cut", K, "cv", [cut("cv2/cv2.abi3.so")], "opencv-python-headless")
fault("numpy-libs-gone", K, "sci", [rm("numpy.libs")], "numpy")

# Stale and double dist-info.
K = "dist-info"
fault("dist-info-gone", K, "hf", [rm("tokenizers-*.dist-info")], "tokenizers")
fault("dist-info-of-another-version", K, "hf-pip",
      [edit("tokenizers-*.dist-info/METADATA", "Version: 0.22.2", "Version: 0.19.1"),
       rename_in_site("tokenizers-0.22.2.dist-info", "tokenizers-0.19.1.dist-info")], "tokenizers")
fault("dist-info-double", K, "hf", [dist_info("tokenizers", "0.19.1", "tokenizers/__init__.py,,\n")], "tokenizers",
      {"once": "import importlib.metadata as m; assert sum(d.metadata['Name'] == 'tokenizers' for d in m.distributions()) == 1"})
fault("dist-info-double-numpy", K, "sci", [dist_info("numpy", "1.24.4", "numpy/__init__.py,,\n")], "numpy",
      {"once": "import importlib.metadata as m; assert sum(d.metadata['Name'] == 'numpy' for d in m.distributions()) == 1"})
fault("record-gone-and-downgraded", K, "hf-pip", [install("tokenizers==0.20.3"), rm("tokenizers-*.dist-info/RECORD")], "tokenizers")
fault("folder-gone-dist-info-stays", K, "hf-uv", [rm("huggingface_hub")], "huggingface_hub")

# Wrong Python or platform.
K = "python-platform"
fault("python-3.11-to-3.12", K, "hf", [interpreter_changed("3.12")], "numpy tokenizers regex safetensors pyyaml kind:environment kind:python",
      note="lib/python3.11 was renamed by hand after the upgrade")
fault("python-swapped-3.12", K, "hf-pip", [interpreter_swapped("3.12")], "kind:environment kind:python word:3.12",
      note="bin/python is 3.12 now, the packages are in lib/python3.11")
fault("numpy-of-cp312", K, "hf-pip", [foreign("numpy==2.4.6", python="3.12", platform="manylinux_2_28_x86_64")], "numpy")
fault("tokenizers-aarch64", K, "hf", [foreign("tokenizers==0.22.2", platform="manylinux2014_aarch64")], "tokenizers")
fault("safetensors-windows", K, "hf", [foreign("safetensors==0.8.0", platform="win_amd64")], "safetensors")
fault("numpy-musl", K, "hf-pip", [foreign("numpy==2.4.6", python="3.11", platform="musllinux_1_2_x86_64")], "numpy")
fault("ignored-requires-python", K, "hf-39",
      [lambda env: env.pip("install", "--no-deps", "--ignore-requires-python", "regex==2025.9.1", "filelock==4.3.1", "fsspec==2026.9.0", "safetensors==0.8.0")],
      "filelock fsspec safetensors")
fault("numpy-1.24-py312-imp", K, "sci", [install("matplotlib==3.11.2"), write("numpy/_utils/__init__.py", "import imp\n")],
      "numpy", note="a file of an old release, patched in by hand, imports a module that Python 3.12 no longer has")

# User site, PYTHONPATH, cwd and .pth in front.
K = "in-front"
fault("user-site-tokenizers", K, "hf-system", [user_site("tokenizers==0.19.1")], "tokenizers")
fault("user-site-numpy", K, "hf-system", [user_site("numpy==1.26.4"),
      lambda env: env.break_user("numpy/__init__.py")], "numpy", note="the user's copy is empty")
fault("pythonpath-hub", K, "hf", [beside("huggingface_hub==0.16.4"), set_env(PYTHONPATH="{beside}/lib")], "huggingface_hub")
fault("pythonpath-jaxlib", K, "jax", [beside("jaxlib==0.9.1"), set_env(PYTHONPATH="{beside}/lib")], "jaxlib")
fault("pythonpath-of-another-python", K, "hf-pip",
      [beside("--python-version", "3.12", "--only-binary", ":all:", "numpy==2.4.6"), set_env(PYTHONPATH="{beside}/lib")],
      "numpy word:PYTHONPATH", note="a module system's packages of Python 3.12")
fault("cwd-tokenizers-py", K, "hf", [cwd_file("tokenizers.py", "# my notes on tokenizers\n")], "tokenizers")
fault("pth-in-front", K, "hf-pip", [beside("tokenizers==0.20.3"),
      lambda env: env.replace(env.site / "zz_local.pth", f"import sys; sys.path.insert(0, '{env.beside}/lib')\n".encode())],
      "tokenizers")

# A venv over the system's packages.
K = "system-site"
fault("system-site-old-tokenizers", K, "hf-system", [system_site("tokenizers==0.20.3")], "tokenizers")
fault("system-site-old-hub", K, "hf-system", [system_site("huggingface_hub==0.20.3")], "huggingface_hub")
fault("system-site-transformers-5", K, "hf-system", [system_site("transformers==5.24.0")], "transformers huggingface_hub tokenizers")

# PEP 668: the installer refuses to install here.
K = "pep668"
fault("pep668-tokenizers", K, "hf-system", [install("tokenizers==0.20.3"), managed], "tokenizers")
fault("pep668-numpy-gone", K, "hf-system", [uninstall("numpy"), managed], "numpy")

# jax families.
K = "jax"
fault("jaxlib-older", K, "jax", [install("jaxlib==0.9.1")], "jaxlib jax")
fault("jax-older", K, "jax", [install("jax==0.7.2")], "jaxlib jax")
fault("ml-dtypes-old", K, "jax", [install("ml_dtypes==0.2.0", "numpy==1.26.4")], "ml-dtypes ml_dtypes numpy")
fault("jax-plugin-older", K, "jax-0.4", [install("jax-cuda12-plugin==0.4.31", "jax-cuda12-pjrt==0.4.31")],
      "jax-cuda12-plugin jax-cuda12-pjrt")
fault("jaxlib-0.4.31", K, "jax-0.4", [install("jaxlib==0.4.31")], "jaxlib jax")

# CPU builds and twins.
K = "cpu-build"
fault("ort-cpu-over-gpu", K, "ort-gpu", [install("onnxruntime==1.32.0")], "onnxruntime onnxruntime-gpu")
fault("ort-gpu-replaced-by-cpu-files", K, "ort-gpu", [uninstall("onnxruntime-gpu"), install("onnxruntime==1.31.1"),
      dist_info("onnxruntime_gpu", "1.31.1")], "onnxruntime onnxruntime-gpu",
      note="an image layer left the old dist-info")
K = "twins"
fault("ort-twin-uninstalled", K, "ort-gpu", [install("onnxruntime==1.32.0"), uninstall("onnxruntime-gpu")],
      "onnxruntime")
fault("opencv-twin-uninstalled", K, "cv", [install("opencv-python==5.0.0.93"), uninstall("opencv-python")],
      "opencv-python-headless")
fault("opencv-over-contrib", K, "cv-contrib", [install("opencv-python-headless==4.11.0.86")],
      "opencv-python-headless opencv-contrib-python-headless")

# Editable and moved environments.
K = "moved"
fault("editable-source-gone", K, "torch", [editable("peft"), source_gone], "peft")
fault("editable-hub-moved", K, "hf-pip", [editable("huggingface_hub"), source_gone], "huggingface_hub huggingface-hub")
fault("env-moved", K, "hf-pip", [moved], "kind:environment word:moved word:scripts", {"script": "#!hf --help"})
fault("interpreter-gone", K, "hf", [interpreter_gone], "kind:environment kind:python word:interpreter")
fault("pyvenv-cfg-gone", K, "hf-uv", [no_pyvenv_cfg], "kind:environment kind:python word:pyvenv.cfg")
fault("symlinks-dangle", K, "hf-uv", [symlinks_dangle("tokenizers")], "tokenizers")
fault("pythonhome-wrong", K, "hf", [set_env(PYTHONHOME="{beside}/opt/python")], "kind:environment word:PYTHONHOME")

# Tiny ones for CI: wheels built on the spot, no network.
K = "ci"
fault("ci-guard", K, TINY, [install("tokenizers==0.20.3")], "tokenizers", ci=True)
fault("ci-removed", K, TINY, [uninstall("huggingface-hub")], "huggingface-hub", ci=True)
fault("ci-undeclared-name", K, TINY, [install("transformers==4.46.3", "tokenizers==0.20.3")], "peft transformers", ci=True,
      later="what only the imports show")
fault("ci-folder-gone", K, TINY, [rm("huggingface_hub")], "huggingface-hub", ci=True)
fault("ci-dist-info-gone", K, TINY, [rm("tokenizers-*.dist-info")], "tokenizers", ci=True)
fault("ci-module-empty", K, TINY, [empty("huggingface_hub/__init__.py")], "huggingface-hub", ci=True)
fault("ci-module-cut", K, TINY, [cut("transformers/__init__.py")], "transformers", ci=True)
fault("ci-pythonpath", K, TINY, [beside("tokenizers==0.20.3"), set_env(PYTHONPATH="{beside}/lib")], "tokenizers", ci=True)
fault("ci-editable-gone", K, TINY, [editable("peft"), source_gone], "peft", ci=True)
fault("ci-jaxlib", K, TINY, [install("jaxlib==0.9.1")], "jaxlib jax", ci=True)

# --------------------------------------------------------------------- sound

for _base in ("torch", "hf", "sci", "proto", "web", "jax", "cv"):
    sound(f"plain-{_base}", _base)
sound("plain-ort-gpu", "ort-gpu", probes={})
sound("venv-overrides-its-base", "hf-system",
      [lambda env: env.over_system("transformers==5.24.0", "tokenizers==0.23.3", "huggingface_hub==2.4.0", deps=True)],
      {"own": "import transformers; assert transformers.__version__ == '5.24.0'"})
sound("editable-peft", "torch", [editable("peft")])
sound("extras-newer-than-usual", "sci", [install("numpy==2.4.6", "scipy==1.18.1"), lambda env: env.uv("install", "rich", "polars", "xarray")],
      {"xarray": "import xarray"})
sound("no-deps-opencv-twin-suits", "cv", [uninstall("opencv-python-headless"), install("opencv-python==5.0.0.93")],
      note="albumentations asks for the headless twin; the other gives the same module")
sound("no-deps-newer-fsspec", "hf", [install("datasets==5.0.1", "fsspec==2026.9.0", "pandas==3.1.1")],
      note="fsspec is newer than datasets declares, and works")
sound("leftover-tilde-folder", "hf-pip", [dist_info("~okenizers", "0.22.1", says="tokenizers")], note="pip's leftover: pip warns, nothing else")
sound("pythonpath-project", "hf", [cwd_file("src/myproject/__init__.py", ""), set_env(PYTHONPATH="{work}/src")])
sound("cwd-data-folder-named-datasets", "hf", [cwd_file("datasets/train.csv", "a,b\n"), cwd_file("utils.py", "x = 1\n")],
      note="a folder without __init__.py does not shadow a package")
sound("pep668-sound", "hf-system", [managed])
sound("user-site-harmless", "hf-system", [user_site("rich==15.0.0", "pygments", "markdown-it-py", "mdurl")], {"rich": "import rich"})
sound("symlinked-path", "hf-uv", [lambda env: env.through_symlink()])
sound("jax-newest", "jax", [lambda env: env.uv("install", "jax==0.10.2", "orbax-checkpoint", "ml_dtypes")])
sound("ci-sound", TINY, ci=True)
sound("ci-sound-editable", TINY, [editable("peft")], ci=True)

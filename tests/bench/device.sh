#!/usr/bin/env bash
# Plants faults on a machine with a GPU, and sets what gpudoc says of each beside what CUDA and torch say themselves.
#
#   tests/bench/device.sh GPUDOC PYTHON [WORK]    SECTIONS="speed loader" tests/bench/device.sh …
#
# GPUDOC is the program, PYTHON the interpreter of an environment with torch. WORK, a new folder on the file system of that
# environment (hard links are made), is /opt/gpudoc-faults unless given. CUDA's toolkit must be in /usr/local/cuda. Run it as
# root to see the faults that need a mount (small /dev/shm, missing device files).
#
# For each fault it prints: gpudoc's verdict and its findings that the sound machine does not have, CUDA's own answer as
# `check --cuda-init` heard it, torch's, and whether they agree: gpudoc has something that fails, or the whole machine fails
# for another reason, exactly where torch, or what was planted, does not work. The last line counts.
# With RECORD=FOLDER some of the machines are recorded there for fixtures/snapshots: the facts, and what was said of them.
# SECTIONS: speed loader visibility libraries kernels extensions mounts gpus; all unless given.
set -u
GPUDOC=$(realpath "$1"); PYTHON=$2; WORK=${3:-/opt/gpudoc-faults}
CUDA=${CUDA:-/usr/local/cuda}
VENV=$(dirname "$(dirname "$PYTHON")")
REST=${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mkdir -p "$WORK"; cd "$WORK" || exit 2
cp "$GPUDOC" gpudoc; GPUDOC=$WORK/gpudoc

SECTIONS=${SECTIONS:-speed loader visibility libraries kernels extensions mounts gpus}
wants() { case " $SECTIONS " in *" $1 "*) return 0 ;; esac; return 1; }
AGREED=0; TOTAL=0
# agree PLANTED_WORKS(0|1): beside gpudoc's word of the last fault.
agree() {
  TOTAL=$((TOTAL + 1)); local foreseen; foreseen=$(cat foreseen)
  if [ "$foreseen" = "$1" ]; then AGREED=$((AGREED + 1)); echo "  agree"; else echo "  DISAGREE: gpudoc foresees $foreseen, it is $1"; fi
}

# What torch does with a GPU, in one line.
cat > torch_says.py <<'PY'
import sys, warnings
warnings.simplefilter("ignore")
def last(error):
    return f"{type(error).__name__}: " + (str(error).strip().splitlines() or [""])[0][:150]
try:
    import torch
    try:
        torch.cuda.init()
        count = torch.cuda.device_count()
        a = torch.randn(256, 256, device="cuda")
        value = torch.nn.functional.conv2d(a[None, None], a[None, None, :3, :3]).sum() + (a @ a).sum()
        print(f"works, {count} device(s), is_finite={bool(value.isfinite())}")
    except Exception as error:
        print(f"{last(error)} [device_count={torch.cuda.device_count()}]")
except Exception as error:
    print("import torch:", last(error))
PY

# gpudoc's report in lines: what is new against the sound machine.
cat > summary.py <<'PY'
import json, os, sys
report = json.load(sys.stdin)
found = {f["id"] + f["title"]: f for f in report["findings"]}
known = set()
if os.path.exists("sound.json") and "--sound" not in sys.argv:
    known = {f["id"] + f["title"] for f in json.load(open("sound.json"))["findings"]}
new = [f for key, f in found.items() if key not in known and f["id"] != "gpu-visibility/cuda-init"]
print(f"  gpudoc  {report['verdict']}, {len(new)} new")
for f in new[:3]:
    print(f"          {f['severity']} {f['id']}: {f['title']}")
for f in report["findings"]:
    if f["id"] == "gpu-visibility/cuda-init":
        print(f"  cuda    {f['severity']}: {f['title']} / {f['message']}")
fails = [f for f in new if f["severity"] == "fail"]
open("foreseen", "w").write("0" if fails else "1")
if "--sound" in sys.argv:
    json.dump(report, open("sound.json", "w"))
    for c in report["checks"]:
        print("          ", c["id"], c["status"], c.get("reason") or "")
PY

# fault NAME [VARIABLE=VALUE…] -- [check arguments]: on the environment $ENVIRONMENT.
ENVIRONMENT=$VENV
fault() {
  local name=$1; shift; local variables=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do variables+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  echo "== $name"
  env "${variables[@]}" timeout 100 ${RUN:-} "$GPUDOC" check --python "$ENVIRONMENT" --cuda-init --format json "$@" > report.json 2> errors.txt
  if [ -s report.json ]; then "$PYTHON" summary.py ${SOUND:-} < report.json | sed 's/GPU-[0-9a-f]\{8\}-[0-9a-f-]*/GPU-…/g'; else echo "  gpudoc  $(head -3 errors.txt)"; fi
  local said code
  said=$(env "${variables[@]}" timeout 60 ${RUN:-} "$ENVIRONMENT/bin/python3" torch_says.py 2>&1); code=$?
  echo "  torch   $(tail -1 <<< "$said") (exit $code)"
  WORKS=0; [ $code = 0 ] && case "$said" in *"works, "*) WORKS=1 ;; esac
  [ -n "${PLANTED:-}" ] || agree $WORKS
}

# record NAME [VARIABLE=VALUE…]: the snapshot, and the verdict and findings on the machine itself; advisories come and go.
record() {
  [ -n "${RECORD:-}" ] || return 0
  local name=$1; shift
  env "$@" "$GPUDOC" probe --python "$ENVIRONMENT" 2> /dev/null | "$PYTHON" -c 'import json, sys; json.dump(json.load(sys.stdin), sys.stdout, separators=(",", ":"), ensure_ascii=False)' > "$RECORD/$name.json"
  env "$@" "$GPUDOC" check --python "$ENVIRONMENT" --format json | "$PYTHON" -c 'import json, sys
report = json.load(sys.stdin)
print(report["verdict"])
print("\n".join(f["severity"] + " " + f["id"] for f in report["findings"] if not f["id"].startswith("GPUDOC")))' > "$RECORD/$name.findings"
}

GPU=$(nvidia-smi --query-gpu=name --format=csv,noheader | sed -n '1s/NVIDIA //; 1s/ .*//p')
uuid=$(nvidia-smi -L | sed -n '1s/.*UUID: \(GPU-[0-9a-f-]*\).*/\1/p')
SOUND=--sound fault sound --
KIND=$(tr 'A-Z ' 'a-z-' <<< "$GPU")
[ "$(nvidia-smi -L | wc -l)" = 1 ] && record "$KIND-sound"

if wants visibility; then
fault compat-first LD_LIBRARY_PATH="$CUDA/compat$REST"
fault devices-7 CUDA_VISIBLE_DEVICES=7
fault devices-minus-1 CUDA_VISIBLE_DEVICES=-1
fault devices-empty CUDA_VISIBLE_DEVICES=
fault devices-wrong-uuid CUDA_VISIBLE_DEVICES=GPU-00000000-0000-0000-0000-000000000000
fault devices-0,7,1 CUDA_VISIBLE_DEVICES=0,7,1
fault devices-0,0 CUDA_VISIBLE_DEVICES=0,0
fault devices-0gpu CUDA_VISIBLE_DEVICES=0gpu
fault devices-all CUDA_VISIBLE_DEVICES=all
fault devices-uuid-prefix CUDA_VISIBLE_DEVICES="${uuid:0:9}"
fault devices-uuid-twice CUDA_VISIBLE_DEVICES="$uuid,$uuid"
fault devices-uuid-then-0 CUDA_VISIBLE_DEVICES="$uuid,0"
fault devices-bare-prefix CUDA_VISIBLE_DEVICES=GPU-
fi

if wants libraries; then
mkdir -p empty-jit empty-cudnn
echo 'int nothing(void) { return 0; }' > empty.c
gcc -shared -fPIC -Wl,-soname,libnvJitLink.so.13 -o empty-jit/libnvJitLink.so.13 empty.c
gcc -shared -fPIC -Wl,-soname,libcudnn.so.9 -o empty-cudnn/libcudnn.so.9 empty.c
fault toolkit-libraries-first LD_LIBRARY_PATH="$CUDA/lib64$REST"
fault empty-nvJitLink-first LD_LIBRARY_PATH="$WORK/empty-jit$REST"
fault empty-cudnn-first LD_LIBRARY_PATH="$WORK/empty-cudnn$REST"
fault stubs-first LD_LIBRARY_PATH="$CUDA/lib64/stubs$REST"
mkdir -p stub-so1; cp "$CUDA/lib64/stubs/libcuda.so" stub-so1/libcuda.so.1
fault stub-as-libcuda.so.1 LD_LIBRARY_PATH="$WORK/stub-so1$REST"

fi

# Copies of the environment, by hard links.
copy() { rm -rf "$WORK/$1"; cp -al "$VENV" "$WORK/$1" && ENVIRONMENT=$WORK/$1; SITE=$(echo "$ENVIRONMENT"/lib/python3.*/site-packages); }
if wants libraries; then
copy no-nvidia && rm -rf "$SITE"/nvidia "$SITE"/nvidia_* && fault no-nvidia-wheels; rm -rf "$WORK/no-nvidia"

copy overwritten
library=$(find "$SITE/nvidia" -name 'libnvJitLink.so.13' | head -1)
head -c 100000 "$library" > part && rm "$library" && mv part "$library"
fault cut-nvJitLink; fault cut-nvJitLink-deep -- --deep; rm -rf "$WORK/overwritten"
fi

if wants kernels || wants extensions; then
# An extension for each target: loaded and run through its own launch.
cat > kernel.cu <<'CU'
__global__ void fill(int *out) { *out = 42; }
extern "C" int launch() {
  int *out = nullptr, value = 0;
  if (cudaMalloc(&out, sizeof(int)) != cudaSuccess) return -1;
  fill<<<1, 1>>>(out);
  int error = cudaGetLastError();
  if (error) return error;
  error = cudaMemcpy(&value, out, sizeof(int), cudaMemcpyDeviceToHost);
  return error ? error : (value == 42 ? 0 : -2);
}
CU
targets="sm_75 sm_80 sm_86 sm_89 sm_90 sm_90a sm_100 compute_75 compute_80 compute_86 compute_89 compute_90 compute_90a compute_100"
mkdir -p kernels
for target in $targets; do
  "$CUDA/bin/nvcc" -shared -Xcompiler -fPIC -gencode "arch=compute_${target#*_},code=$target" -o "kernels/$target.so" kernel.cu \
    > "kernels/$target.log" 2>&1 &
done; wait
echo "== kernels: what scan --gpu says, and what the launch returns (0 works, 209 no kernel image, 222 PTX too new)"
for target in $targets; do
  [ -f "kernels/$target.so" ] || { echo "  $target: not built: $(tail -1 "kernels/$target.log")"; continue; }
  "$GPUDOC" scan "kernels/$target.so" --gpu "$GPU" --format json > scan.json 2> errors.txt; code=$?
  launch=$("$PYTHON" -c "import ctypes; print(ctypes.CDLL('$WORK/kernels/$target.so').launch())" 2>&1 | tail -1)
  echo "  $target: scan exit $code $([ -s scan.json ] || head -1 errors.txt), launch $launch"
  echo $((1 - code)) > foreseen; agree $([ "$launch" = 0 ] && echo 1 || echo 0)
done
fi

if wants extensions; then
copy extensions
install() { # install TARGET: as a distribution of the copy
  rm -rf "$SITE"/gpuext*; mkdir -p "$SITE/gpuext" "$SITE/gpuext-1.0.dist-info"
  cp "$1" "$SITE/gpuext/_C.so"; touch "$SITE/gpuext/__init__.py"
  printf 'Metadata-Version: 2.1\nName: gpuext\nVersion: 1.0\n' > "$SITE/gpuext-1.0.dist-info/METADATA"
  printf 'gpuext/__init__.py,,\ngpuext/_C.so,,\ngpuext-1.0.dist-info/METADATA,,\ngpuext-1.0.dist-info/RECORD,,\n' > "$SITE/gpuext-1.0.dist-info/RECORD"
}
for target in sm_80 sm_90a compute_80 sm_100; do
  [ -f "kernels/$target.so" ] || continue
  install "kernels/$target.so"; PLANTED=1 fault "extension-$target"
  launch=$("$PYTHON" -c "import ctypes; print(ctypes.CDLL('$SITE/gpuext/_C.so').launch())" 2>&1 | tail -1)
  echo "  launch  $launch"; agree $([ "$launch" = 0 ] && echo 1 || echo 0)
  [ $target = sm_80 ] && record "$KIND-extension-sm80-compat" LD_LIBRARY_PATH="$CUDA/compat$REST"
done

cat > abi.cpp <<'CPP'
#include <cstdint>
#include <ostream>
#include <string>
namespace c10 { class Device; std::ostream &operator<<(std::ostream &, const Device &); }
namespace c10::detail { [[noreturn]] void torchCheckFail(const char *, const char *, uint32_t, const std::string &); }
extern "C" void *PyInit__C() { return nullptr; }
extern "C" void refuse(const char *text) { c10::detail::torchCheckFail("f", "g", 1, std::string(text)); }
#ifdef LINKED
extern "C" void print(std::ostream &out, const c10::Device &device) { out << device; }
#endif
CPP
# With LINKED it uses a function that has the same name under both, so that the linker notes that it needs libc10.so.
for linked in "" -DLINKED; do for abi in 1 0; do
  g++ -shared -fPIC $linked -D_GLIBCXX_USE_CXX11_ABI=$abi -o abi.so abi.cpp -L"$SITE/torch/lib" -lc10
  install abi.so; PLANTED=1 fault "extension-cxx11-abi-$abi$linked"
  load=$("$ENVIRONMENT/bin/python3" -c "import torch, ctypes; ctypes.CDLL('$SITE/gpuext/_C.so'); print('loads')" 2>&1 | tail -1)
  echo "  load    $load"; agree $([ "$load" = loads ] && echo 1 || echo 0)
done; done
rm -rf "$WORK/extensions"; ENVIRONMENT=$VENV
fi


if wants mounts; then
if unshare -m true 2> /dev/null; then
  export -f fault agree; export GPUDOC PYTHON ENVIRONMENT WORK VENV AGREED TOTAL
  # A small /dev/shm is a warning to a machine with several GPUs and a word to others: torch starts all the same.
  unshare -m bash -c 'mount -t tmpfs -o size=64m tmpfs /dev/shm && fault small-shm
    said=$("$PYTHON" -c "import torch; torch.zeros(256 << 20, dtype=torch.uint8).share_memory_(); print(\"works\")" 2>&1); code=$?
    echo "  share   $(tail -1 <<< "$said") (exit $code)"; grep -o "/dev/shm has [^\"]*" report.json | head -1; echo $AGREED $TOTAL > counts'
  read -r AGREED TOTAL < counts
  unshare -m bash -c 'mkdir -p dev && mount -t tmpfs tmpfs dev && cp -a /dev/null /dev/zero /dev/urandom /dev/random /dev/tty dev/ &&
    mkdir dev/shm && mount --bind dev /dev && fault no-device-files
    chmod 600 /dev/nvidia*; chmod 755 . ; RUN="setpriv --reuid 65534 --clear-groups" fault no-permission
    rm -f /dev/nvidia*; RUN="setpriv --reuid 65534 --clear-groups" fault no-device-files-as-nobody; echo $AGREED $TOTAL > counts'
  read -r AGREED TOTAL < counts
else
  echo "== small-shm, no-device-files: no mount here"
fi
fi

if wants loader; then
# Which file each CUDA library comes from, once torch has used it.
cat > maps.py <<'PY'
import os, torch
def used():
    if torch.cuda.is_available():
        a = torch.randn(64, 64, device="cuda")
        torch.nn.functional.conv2d(a[None, None], a[None, None, :3, :3])
        torch.fft.fft(a); torch.linalg.svd(a); a @ a; torch.cuda.nccl.version()
        a.to_sparse_csr() @ a
try:
    used()
except Exception as error:
    print("note", str(error).splitlines()[0][:100])
for path in sorted({line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}):
    print("map", os.path.realpath(path))
PY
cat > compare.py <<'PY'
import json, os, subprocess, sys
facts = json.load(open(sys.argv[1]))["facts"]
maps = {}
for line in open(sys.argv[2]):
    if line.startswith("map "):
        path = line[4:].strip()
        maps.setdefault(os.path.basename(path), path)
        # The name that the loader knows it by.
        maps.setdefault(os.path.basename(path).split(".so")[0] + ".so", path)
told = {}
for distribution in facts["distributions"]:
    if distribution["name"] == "torch" or distribution["name"].startswith("nvidia-"):
        for library in distribution.get("libraries", {}).get("value") or []:
            for link in library.get("links", []):
                if link.get("path"):
                    told.setdefault(link["soname"], set()).add(os.path.realpath(link["path"]))
cuda = facts["loader"]["libcuda"].get("value")
if cuda:
    told.setdefault("libcuda.so.1", set()).add(os.path.realpath(cuda["path"]))
same = other = 0
for soname, paths in sorted(told.items()):
    mapped = maps.get(soname) or maps.get(soname.split(".so")[0] + ".so")
    if mapped is None:
        continue
    if paths == {mapped}:
        same += 1
    else:
        other += 1
        print("  DIFFERS", soname, "gpudoc:", paths, "mapped:", mapped)
print(f"  {same} libraries as gpudoc says, {other} not; {len(told) - same - other} that torch did not load")
PY
truth() { # truth NAME [VARIABLE=VALUE…]
  echo "== loader: $1"; shift
  env "$@" "$GPUDOC" check --python "$VENV" --format json > report.json
  env "$@" "$PYTHON" maps.py > maps.txt 2> errors.txt; grep ^note maps.txt
  "$PYTHON" compare.py report.json maps.txt
}
truth sound
truth toolkit-first LD_LIBRARY_PATH="$CUDA/lib64$REST"
[ -d empty-jit ] && truth empty-nvJitLink-first LD_LIBRARY_PATH="$WORK/empty-jit$REST"
[ -d empty-cudnn ] && truth empty-cudnn-first LD_LIBRARY_PATH="$WORK/empty-cudnn$REST"
truth compat-first LD_LIBRARY_PATH="$CUDA/compat$REST"
fi

if wants gpus && [ "$(nvidia-smi -L | wc -l)" -gt 1 ]; then
second=$(nvidia-smi -L | sed -n '2s/.*UUID: \(GPU-[0-9a-f-]*\).*/\1/p')
fault two-all
fault two-first CUDA_VISIBLE_DEVICES=0
fault two-second CUDA_VISIBLE_DEVICES=1
fault two-swapped CUDA_VISIBLE_DEVICES=1,0
fault two-1,7 CUDA_VISIBLE_DEVICES=1,7
fault two-7,1 CUDA_VISIBLE_DEVICES=7,1
fault two-0,7,1 CUDA_VISIBLE_DEVICES=0,7,1
record "two-$KIND-0-7-1" CUDA_VISIBLE_DEVICES=0,7,1
fault two-1,1 CUDA_VISIBLE_DEVICES=1,1
fault two-uuid CUDA_VISIBLE_DEVICES="$second"
fault two-uuids CUDA_VISIBLE_DEVICES="$second,$uuid"
fault two-uuid-then-index CUDA_VISIBLE_DEVICES="$second,0"
fault two-index-then-uuid CUDA_VISIBLE_DEVICES="0,$second"
fault two-prefix CUDA_VISIBLE_DEVICES=GPU
"$PYTHON" -c 'import torch; print("  peer access", torch.cuda.can_device_access_peer(0, 1))'
nvidia-smi topo -m | head -6
fi

if wants speed; then
echo "== speed: milliseconds of wall time, in order"
times() { # times NAME COUNT COMMAND…
  local name=$1 count=$2 took=(); shift 2
  for _ in $(seq "$count"); do
    local start end; start=$(date +%s%N); "$@" > /dev/null 2>&1; end=$(date +%s%N); took+=($(((end - start) / 100000)))
  done
  printf '  %-34s' "$name"; printf '%s\n' "${took[@]}" | sort -n | awk '{printf "%.1f ", $1 / 10} END {print ""}'
}
LIBRARY=$(echo "$VENV"/lib/python3.*/site-packages/torch/lib/libtorch_cuda.so)
times "gpudoc check" 15 "$GPUDOC" check --python "$VENV"
times "gpudoc check --format json" 5 "$GPUDOC" check --python "$VENV" --format json
times "gpudoc scan libtorch_cuda.so" 9 "$GPUDOC" scan "$LIBRARY"
times "nvidia-smi" 9 nvidia-smi
[ -n "${UV:-}" ] && times "uv pip check" 9 "$UV" pip check --python "$VENV"
times "pip check" 3 "$PYTHON" -m pip check
times "collect_env" 3 "$PYTHON" -m torch.utils.collect_env
times "cuobjdump -lelf libtorch_cuda.so" 2 "$CUDA/bin/cuobjdump" -lelf "$LIBRARY"
"$GPUDOC" check --python "$VENV" --timings
fi
echo "== $AGREED of $TOTAL agree"

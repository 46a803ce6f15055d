#!/usr/bin/env bash
# Plants faults on a machine with a GPU, and sets what gpudoc says of each beside what CUDA and torch say themselves.
#
#   tests/bench/device.sh GPUDOC PYTHON [WORK]
#
# GPUDOC is the program, PYTHON the interpreter of an environment with torch. WORK, a new folder on the file system of that
# environment (hard links are made), is /opt/gpudoc-faults unless given. CUDA's toolkit must be in /usr/local/cuda. Run it as
# root to see the faults that need a mount (small /dev/shm, missing device files).
#
# For each fault it prints: gpudoc's verdict and its findings that the sound machine does not have, CUDA's own answer as
# `check --cuda-init` heard it, and torch's.
set -u
GPUDOC=$(realpath "$1"); PYTHON=$2; WORK=${3:-/opt/gpudoc-faults}
CUDA=${CUDA:-/usr/local/cuda}
VENV=$(dirname "$(dirname "$PYTHON")")
REST=${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mkdir -p "$WORK"; cd "$WORK" || exit 2
cp "$GPUDOC" gpudoc; GPUDOC=$WORK/gpudoc

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
}

uuid=$(nvidia-smi -L | sed -n '1s/.*UUID: \(GPU-[0-9a-f-]*\).*/\1/p')
SOUND=--sound fault sound --
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

# Copies of the environment, by hard links.
copy() { rm -rf "$WORK/$1"; cp -al "$VENV" "$WORK/$1" && ENVIRONMENT=$WORK/$1; SITE=$(echo "$ENVIRONMENT"/lib/python3.*/site-packages); }
copy no-nvidia && rm -rf "$SITE"/nvidia "$SITE"/nvidia_* && fault no-nvidia-wheels; rm -rf "$WORK/no-nvidia"

copy overwritten
library=$(find "$SITE/nvidia" -name 'libnvJitLink.so.13' | head -1)
head -c 100000 "$library" > part && rm "$library" && mv part "$library"
fault cut-nvJitLink; fault cut-nvJitLink-deep -- --deep; rm -rf "$WORK/overwritten"

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
echo "== kernels: what scan --gpu H100 says, and what the launch returns (0 works, 209 no kernel image, 222 PTX too new)"
for target in $targets; do
  [ -f "kernels/$target.so" ] || { echo "  $target: not built: $(tail -1 "kernels/$target.log")"; continue; }
  "$GPUDOC" scan "kernels/$target.so" --gpu H100 --format json > scan.json 2> errors.txt; code=$?
  launch=$("$PYTHON" -c "import ctypes; print(ctypes.CDLL('$WORK/kernels/$target.so').launch())" 2>&1 | tail -1)
  echo "  $target: scan exit $code $([ -s scan.json ] || head -1 errors.txt), launch $launch"
done
"$GPUDOC" scan kernels/sm_80.so --gpu H100 | tail -8

copy extensions
install() { # install TARGET: as a distribution of the copy
  rm -rf "$SITE"/gpuext*; mkdir -p "$SITE/gpuext" "$SITE/gpuext-1.0.dist-info"
  cp "$1" "$SITE/gpuext/_C.so"; touch "$SITE/gpuext/__init__.py"
  printf 'Metadata-Version: 2.1\nName: gpuext\nVersion: 1.0\n' > "$SITE/gpuext-1.0.dist-info/METADATA"
  printf 'gpuext/__init__.py,,\ngpuext/_C.so,,\ngpuext-1.0.dist-info/METADATA,,\ngpuext-1.0.dist-info/RECORD,,\n' > "$SITE/gpuext-1.0.dist-info/RECORD"
}
for target in sm_80 sm_90a compute_80 sm_100; do
  [ -f "kernels/$target.so" ] || continue
  install "kernels/$target.so"; fault "extension-$target"
  echo "  launch  $("$PYTHON" -c "import ctypes; print(ctypes.CDLL('$SITE/gpuext/_C.so').launch())" 2>&1 | tail -1)"
done

cat > abi.cpp <<'CPP'
#include <cstdint>
#include <string>
namespace c10::detail { [[noreturn]] void torchCheckFail(const char *, const char *, uint32_t, const std::string &); }
extern "C" void *PyInit__C() { return nullptr; }
extern "C" void refuse(const char *text) { c10::detail::torchCheckFail("f", "g", 1, std::string(text)); }
CPP
for abi in 1 0; do
  g++ -shared -fPIC -D_GLIBCXX_USE_CXX11_ABI=$abi -o abi.so abi.cpp -L"$SITE/torch/lib" -lc10
  install abi.so; fault "extension-cxx11-abi-$abi"
  echo "  load    $("$ENVIRONMENT/bin/python3" -c "import torch, ctypes; ctypes.CDLL('$SITE/gpuext/_C.so'); print('loads')" 2>&1 | tail -1)"
done
rm -rf "$WORK/extensions"; ENVIRONMENT=$VENV

if unshare -m true 2> /dev/null; then
  export -f fault; export GPUDOC PYTHON ENVIRONMENT WORK VENV
  unshare -m bash -c 'mount -t tmpfs -o size=64m tmpfs /dev/shm && fault small-shm
    said=$("$PYTHON" -c "import torch; torch.zeros(256 << 20, dtype=torch.uint8).share_memory_(); print(\"works\")" 2>&1); code=$?
    echo "  share   $(tail -1 <<< "$said") (exit $code)"'
  unshare -m bash -c 'mkdir -p dev && mount -t tmpfs tmpfs dev && cp -a /dev/null /dev/zero /dev/urandom /dev/random /dev/tty dev/ &&
    mkdir dev/shm && mount --bind dev /dev && fault no-device-files; ls /dev;
    chmod 600 /dev/nvidia*; chmod 755 . ; RUN="setpriv --reuid 65534 --clear-groups" fault no-permission;
    rm -f /dev/nvidia*; RUN="setpriv --reuid 65534 --clear-groups" fault no-device-files-as-nobody; ls /dev | grep nvidia'
else
  echo "== small-shm, no-device-files: no mount here"
fi
"$GPUDOC" check --python "$VENV" --timings | head -40
for i in 1 2 3; do /usr/bin/env time -f '%e s check' "$GPUDOC" check --python "$VENV" > /dev/null; done

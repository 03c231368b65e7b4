#!/usr/bin/env bash
# run.sh own|all [FOLDER]: asks drivers' compilers on a machine without their GPUs what they make of every pipeline. It prints the table of
# table.py, which refuses spills and slow inner loops.
# own: with this machine's packages: AMD with Debian 12 and its backports; AMD, NVIDIA and Apple with Debian 13 and its backports. Where they
#      cannot be had, it says so in one line and is content.
# all: with those of Debian 13 and its backports, on Debian 12 or 13: the GPUs below, those of Intel once intel.sh has been run.
# It needs apt-get, cc, python3 and cargo, but no root: packages are unpacked in FOLDER (target/compilers/own or all), 400 MB, and stay there.
# Mesa's drivers compile as they do on hardware; beneath them is Mesa's stand-in for a kernel, which runs nothing.
set -euo pipefail
mode=${1:-} here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
[[ $mode == own || $mode == all ]] || { sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}" >&2 && exit 2; }
cd "$here/../.."
folder=${2:-target/compilers/$mode}
mkdir -p "$folder"
folder=$(realpath "$folder") root=$folder/root

# Name, driver, shim, the shim's variable, and whether products by matrix units of 16x16x16 are made, which NVK has for Turing by its list
# alone. `own` takes the first of each driver.
gpus=(
    "amd-navi31 radeon amdgpu AMDGPU_GPU_ID=navi31 -units"
    "amd-navi21 radeon amdgpu AMDGPU_GPU_ID=navi21"
    "amd-gfx1201 radeon amdgpu AMDGPU_GPU_ID=gfx1201 -units"
    "amd-vega20 radeon amdgpu AMDGPU_GPU_ID=vega20"
    "nvidia-ampere nouveau nouveau NOUVEAU_CHIPSET=174 -units"
    "nvidia-turing nouveau nouveau NOUVEAU_CHIPSET=167"
    "apple-m1 asahi asahi ASAHI=1"
    "intel-dg2 intel intel INTEL_STUB_GPU_PLATFORM=dg2"
    "intel-tgl intel intel INTEL_STUB_GPU_PLATFORM=tgl"
    "intel-lnl intel intel INTEL_STUB_GPU_PLATFORM=lnl"
    "intel-bmg intel intel INTEL_STUB_GPU_PLATFORM=bmg"
)

unpack() { # drivers, shims, loader and headers, with all that they need, below $root
    local apt=(-qq -o Dir::State="$folder/apt" -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt" -o APT::Sandbox::User=root)
    local suites mirror
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
    : >"$folder/apt/status"
    suites=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages')
    if [[ $mode == all ]]; then
        mirror=$(awk '$2 ~ /^(bookworm|trixie)$/ { print $1; exit }' <<<"$suites")
        [[ -n $mirror ]] || { echo "this machine has no mirror of Debian 12 or 13" && return 1; }
        suites="$mirror trixie-backports"
        printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" trixie "$mirror" trixie-backports \
            >"$folder/apt/sources.list"
        apt+=(-o Dir::Etc::SourceList="$folder/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null)
    fi
    suites=$(awk '$2 ~ /-backports$/ { print $2; exit }' <<<"$suites")
    apt-get "${apt[@]}" update &&
        apt-get "${apt[@]}" install -y --no-install-recommends --download-only ${suites:+-t "$suites"} \
            mesa-vulkan-drivers mesa-drm-shim libvulkan1 libvulkan-dev || return 1
    rm -rf "$root"
    for package in "$folder"/apt/archives/*.deb; do
        dpkg -x "$package" "$root.part" || return 1
    done
    mv "$root.part" "$root"
}

try() { # the packages, or why not
    command -v apt-get cc python3 >/dev/null && command -v dpkg >/dev/null || { echo "it needs apt-get, dpkg, cc and python3" && return 1; }
    [[ -d $root ]] || unpack
}
if ! problem=$(try 2>&1); then
    echo "compilers: SKIPPED: no drivers' packages: $(tail -n 1 <<<"$problem")" >&2
    [[ $mode == own ]]
    exit
fi

program=$(benches/compilers/built.sh)
cc -O1 -Wall -fPIC -shared -I"$root/usr/include" -o "$folder/layer.so" "$here/layer.c"
cp "$here/layer.json" "$folder"
start=$(find "$root" -name 'ld-linux*.so*' -print -quit) # its own loader of programs, since the drivers' libc is newer
libs=$(dirname "$start")
if [[ ! -e $libs/libvulkan.so.1 ]]; then
    libs=$(dirname "$(find "$root" -name libvulkan.so.1 -print -quit)")
fi

asked=() seen=
for gpu in "${gpus[@]}"; do
    read -r name driver shim variable units <<<"$gpu"
    [[ $mode == all || $seen != *$driver* ]] || continue
    seen+=" $driver" icd=$root/usr/share/vulkan/icd.d/${driver}_icd out=$folder/$name
    icd=$(find "$root/usr/share/vulkan/icd.d" -name "${driver}_icd*.json" -print -quit) shim=$libs/lib${shim}_noop_drm_shim.so
    [[ -e $shim ]] || shim=$folder/$(basename "$shim")
    [[ -n $icd && -e $shim ]] || continue
    rm -rf "$out" && mkdir "$out"
    sed -E "s|(\"library_path\": *\")([^\"]*/)?|\\1$libs/|" "$icd" >"$out/icd.json"
    env "$variable" PIPESTATS="$out" MESA_SHADER_CACHE_DISABLE=true VK_DRIVER_FILES="$out/icd.json" VK_LAYER_PATH="$folder" \
        VK_INSTANCE_LAYERS=VK_LAYER_pipestats "$start" --library-path "$libs" --preload "$shim" "$program" "--make$units" \
        >"$out/made.txt" 2>"$out/errors.txt" || { tail -n 5 "$out/errors.txt" && echo "compilers: $name: $(tail -n 1 "$out/made.txt")" && exit 1; } >&2
    asked+=("$out")
done
[[ ${#asked[@]} -gt 0 ]] || { echo "compilers: SKIPPED: the packages have no driver with a shim" >&2 && exit; }
printf 'What compilers made of every pipeline on %s, as `benches/compilers/run.sh %s` prints it.\n\n' "$(date +%F)" "$mode"
python3 "$here/table.py" "${asked[@]}"

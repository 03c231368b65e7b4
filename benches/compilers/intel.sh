#!/usr/bin/env bash
# intel.sh [FOLDER]: makes the stand-in for Intel's part of the kernel from Mesa's sources, since Debian has packages of the others alone. It comes
# to FOLDER (target/compilers/all), where `run.sh all` has been before; `run.sh all` has Intel's GPUs from then on.
# It needs apt-get, python3, cc, flex, bison, pkg-config and the headers of libdrm, expat, zlib and libelf (libdrm-dev, libexpat1-dev, zlib1g-dev
# and libelf-dev), but no root, and takes about a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(realpath "${1:-target/compilers/all}")
[[ -s $folder/apt/sources.list ]] || { echo "intel.sh: $folder has no packages yet: \`benches/compilers/run.sh all\` fetches them" >&2 && exit 2; }
sed -n 's/^deb /deb-src /p' "$folder/apt/sources.list" | grep ' trixie main$' >"$folder/apt/sources-src.list"
apt=(-qq -o Dir::State="$folder/apt" -o Dir::Cache="$folder/apt" -o APT::Sandbox::User=root
    -o Dir::Etc::SourceList="$folder/apt/sources-src.list" -o Dir::Etc::SourceParts=/dev/null)
mkdir -p "$folder/mesa" && cd "$folder/mesa"
apt-get "${apt[@]}" update
apt-get "${apt[@]}" source --download-only mesa
tar xf mesa_*.orig.tar.xz --strip-components=1
python3 -m venv venv
venv/bin/pip -q install meson ninja mako pyyaml packaging
PATH=$PWD/venv/bin:$PATH
meson setup build --reconfigure -Dgallium-drivers= -Dvulkan-drivers= -Dplatforms= -Dtools=intel,drm-shim -Dglx=disabled -Degl=disabled \
    -Dgbm=disabled -Dopengl=false -Dgles1=disabled -Dgles2=disabled -Dllvm=disabled -Dzstd=disabled -Dexpat=enabled \
    -Dvideo-codecs= -Dxmlconfig=disabled -Dbuildtype=release
shim=src/intel/tools/libintel_noop_drm_shim.so
ninja -C build "$shim"
cp "build/$shim" "$folder"

#!/usr/bin/env bash
# Packs AdderNet.Core into artifacts/packages and builds the samples against that package.
#   build/samples.sh [--no-build]      --no-build packs what src/AdderNet.Core/bin/Release holds
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"
install=no
source "$root/build/machine.sh"
require_sdk

rm -f artifacts/packages/AdderNet.Core.*.nupkg
"$dotnet" pack src/AdderNet.Core -c Release -o artifacts/packages -nodeReuse:false -p:UseSharedCompilation=false -v quiet --nologo "$@"
# The version is the same whatever the content: the last one that was restored has to go.
rm -rf artifacts/samples/packages/addernet.core
"$dotnet" build samples/Samples.slnx -c Release -nodeReuse:false -p:UseSharedCompilation=false -v quiet --nologo

#!/usr/bin/env bash
# Lays our photographs beside torchvision's with Pillow, on the same files in the same run.
#   bench/beside_torchvision.sh pixels|loader DIR [--install]
#     pixels   how far our pixels are from theirs (beside_torchvision_pixels.py)
#     loader   images a second of one core, ours and theirs, and our memory over 20,000 images (beside_torchvision_loader.py)
#     DIR      ImageNet layout, for example: bench/photographs.sh datasets/uniform --uniform
#     --install  install python3-torchvision and python3-pil where they are missing, also when not root
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage="valid: bench/beside_torchvision.sh pixels|loader DIR [--install]"
[[ ${1:-} == pixels || ${1:-} == loader ]] || { echo "'${1:-}' is not a comparison; $usage" >&2; exit 2; }
[[ -d ${2:-} ]] || { echo "'${2:-}' is no directory; make one with: bench/photographs.sh datasets/uniform --uniform" >&2; exit 2; }
install=no
[[ ${3:-} != --install ]] || install=yes
source "$root/build/machine.sh"
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import PIL, torchvision' 2>/dev/null || lacking "torchvision or Pillow" "$(apt_command python3-torchvision python3-pil)" || exit 1
exec "$python" "$root/bench/beside_torchvision_$1.py" "$root/addernet" "$2"

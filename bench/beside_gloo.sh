#!/usr/bin/env bash
# Lays our all-reduce beside Gloo's, on the same machine in the same run (beside_gloo.py).
#   bench/beside_gloo.sh [--workers N] [--megabytes M] [--install]
#     --install  install python3-torch where it is missing, also when not root
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
workers=2 megabytes=102 install=no
while (($#)); do
    case $1 in
        --workers | --megabytes)
            [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "$1: '${2:-}' is no number; valid: $1 2" >&2; exit 2; }
            declare "${1#--}=$2"
            shift
            ;;
        --install) install=yes ;;
        *) echo "unknown argument '$1'; valid: bench/beside_gloo.sh [--workers N] [--megabytes M] [--install]" >&2; exit 2 ;;
    esac
    shift
done
source "$root/build/machine.sh"
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch.distributed' 2>/dev/null || lacking "PyTorch with Gloo" "$(apt_command python3-torch)" || exit 1
exec "$python" "$root/bench/beside_gloo.py" "$root/addernet" "$workers" "$megabytes"

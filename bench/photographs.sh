#!/usr/bin/env bash
# Builds a small ImageNet-layout set of real photographs: crops of wallpapers and puzzle pictures from Debian packages,
# 32 classes by picture, train/CLASS/*.JPEG and val/CLASS/*.JPEG, mostly of 500x375 pixels.
#   bench/photographs.sh DIR [--train N] [--val N] [--uniform] [--install]
#     --train N, --val N   crops of each class (100 and 10); any number of a class are the first of more
#     --uniform            500x375 colour JPEGs only; without it also ImageNet's oddities (see photographs.py)
#     --install            install python3-pil where it is missing, also when not root
# The pictures' packages (78 MB) are only downloaded and unpacked, which needs no root. Never commit what this writes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
install=no directory='' options=()
while (($#)); do
    case $1 in
        --install) install=yes ;;
        --uniform) options+=(--uniform) ;;
        --train | --val)
            [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "$1: '${2:-}' is not a number of crops; valid: $1 100" >&2; exit 2; }
            options+=("$1" "$2")
            shift
            ;;
        -*) echo "unknown argument '$1'; valid: bench/photographs.sh DIR [--train N] [--val N] [--uniform] [--install]" >&2; exit 2 ;;
        *) directory=$1 ;;
    esac
    shift
done
[[ -n $directory ]] || { echo "a directory is missing; valid: bench/photographs.sh datasets/photographs" >&2; exit 2; }
source "$root/build/machine.sh"

python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import PIL' 2>/dev/null || lacking "Pillow" "$(apt_command python3-pil)" || exit 1

packages=(lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds palapeli-data)
cache=${ADDERNET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/addernet}/photographs
if [[ ! -e $cache/complete ]]; then
    mkdir -p "$cache/packages"
    # Root's downloads are made as another user, who must be able to write here.
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    chmod 755 "$scratch"
    if ! (cd "$scratch" && apt-get download -q "${packages[@]}" 2>"$scratch/log" >&2); then
        may_install && apt-get update -q >/dev/null 2>&1 || true
        (cd "$scratch" && apt-get download -q "${packages[@]}" 2>"$scratch/log" >&2) ||
            { echo "the pictures' packages could not be downloaded: $(tail -1 "$scratch/log"); try: sudo apt-get update" >&2; exit 1; }
    fi
    for package in "$scratch"/*.deb; do dpkg-deb -x "$package" "$cache/packages"; done
    touch "$cache/complete"
fi
exec "$python" "$root/bench/photographs.py" "$cache/packages" "$directory" "${options[@]}"

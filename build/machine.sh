# Sourced by ./addernet and ./test: finds what the machine must have, and installs it only as root or when asked to.
# Callers set `root` (the repository) and `install` (yes|no).

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
# No build server may outlive the command that needed it.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0

# Services and containers may leave HOME unset; dotnet, npm and the cache need one.
[[ -n ${HOME:-} ]] || HOME=$(getent passwd "$(id -u)" | cut -d: -f6) || true
export HOME=${HOME:-/tmp}

readonly dotnet_home="${DOTNET_INSTALL_DIR:-$HOME/.dotnet}"
readonly dotnet_command="curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 --install-dir '$dotnet_home'"

# Builds go under artifacts: says in one line where that cannot be.
writable_artifacts() {
    mkdir -p "$root/artifacts/cli" 2>/dev/null && [[ -w $root/artifacts/cli && -w $root/src/Cli ]] && return 0
    echo "cannot write to $root, where builds go: clone the repository where you may write, or let its owner run ./addernet --help once" >&2
    return 1
}

may_install() {
    [[ $install == yes || $(id -u) == 0 ]]
}

# lacking WHAT COMMAND: installs WHAT with COMMAND where that is allowed; else prints COMMAND and ends with 1.
lacking() {
    if ! may_install; then
        {
            echo "$1 is missing. Install it with:"
            echo "  $2"
            echo "or run this command again with --install."
        } >&2
        return 1
    fi
    echo "installing $1: $2" >&2
    bash -c "set -o pipefail; $2" >&2 || { echo "installing $1 failed; the command was: $2" >&2; return 1; }
}

# Whether the dynamic linker knows a library by that name.
has_library() {
    [[ $(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null) == *"$1"* ]]
}

# What decodes photographs (data.format folder and tar); nothing else needs it.
require_picture_libraries() {
    has_library libturbojpeg.so.0 && has_library libpng16.so.16 && return 0
    lacking "libjpeg-turbo or libpng" "$(apt_command libturbojpeg0 libpng16-16)"
}

# apt_command PACKAGES: the exact apt command for this user.
apt_command() {
    local sudo=""
    [[ $(id -u) == 0 ]] || sudo="sudo "
    echo "${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends $*"
}

# Prints the first dotnet host found, whatever its version.
find_dotnet() {
    local candidate
    for candidate in "${DOTNET_ROOT:+$DOTNET_ROOT/dotnet}" "$(command -v dotnet || true)" "$dotnet_home/dotnet" /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet; do
        if [[ -n $candidate && -x $candidate ]]; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

has_sdk() {
    "$1" --list-sdks 2>/dev/null | grep -q '^10\.'
}

# Sets `dotnet` to a host that has a .NET 10 SDK.
require_sdk() {
    dotnet=$(find_dotnet || true)
    if [[ -n $dotnet ]] && has_sdk "$dotnet"; then return 0; fi
    if [[ -x $dotnet_home/dotnet ]] && has_sdk "$dotnet_home/dotnet"; then
        dotnet=$dotnet_home/dotnet
        return 0
    fi
    command -v curl >/dev/null || lacking curl "$(apt_command curl ca-certificates)" || return 1
    lacking "the .NET 10 SDK" "$dotnet_command" || return 1
    dotnet=$dotnet_home/dotnet
    has_sdk "$dotnet" || { echo "$dotnet still has no .NET 10 SDK" >&2; return 1; }
}

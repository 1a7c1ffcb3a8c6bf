# Shared by the scripts of this folder; sourced, never run.
# shellcheck shell=bash disable=SC2034 # variables are for the scripts that source this file

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
dist=$root/dist
module=ngx_http_wallarm_mirror_module.so

# What a build needs besides Rust. libclang is bindgen's; the rest compiles NGINX.
build_packages=(gcc make libc6-dev libclang-dev libpcre2-dev libssl-dev zlib1g-dev)
run_packages=("${build_packages[@]}" curl jq)
test_packages=("${build_packages[@]}" shellcheck)
system_packages=(nginx nginx-dev) # not everywhere to be had

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' red='' plain=''
fi

# Progress goes to stderr, results to stdout.
say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2; }

die() {
    printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2
    exit 1
}

# The comment block at the head of the calling script is its help.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

missing_packages() {
    local package
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s\n' "$package"
    done
}

# Installs what is missing as root; otherwise fails with the line to run. A script asks once for all that it and
# those it calls need, so that this line is the only one.
need_packages() {
    command -v dpkg-query >/dev/null || return 0 # not Debian: the compiler will tell
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    [[ $(id -u) == 0 ]] || die "packages are missing; run: sudo apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    install_packages "${missing[@]}"
}

# The tests want the distribution's NGINX, but do without: it is part of the line to run, and no cause for it.
need_test_packages() {
    local packages=("${test_packages[@]}")
    if [[ $(id -u) != 0 && $(missing_packages "${test_packages[@]}") ]] && apt_knows "${system_packages[@]}"; then
        packages+=("${system_packages[@]}")
    fi
    need_packages "${packages[@]}"
}

apt_knows() {
    local package
    for package; do
        apt-cache show --quiet "$package" >/dev/null 2>&1 || return
    done
}

# A newly installed server must not start to listen on this machine: policy-rc.d forbids it meanwhile.
install_packages() (
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -qq -y --no-install-recommends "$@" >&2
)

need_cargo() {
    PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    command -v cargo >/dev/null && return 0
    die "Rust is missing; run: curl -sSf https://sh.rustup.rs | sh -s -- -y"
}

# publish FROM TO: replaces TO in one step, for an NGINX may have it mapped; leaves it if equal.
publish() {
    cmp -s "$1" "$2" && return 0
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.new"
    mv -f "$2.new" "$2"
}

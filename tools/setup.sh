#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh - installs what is missing for a purpose, from the packages of Debian 12.
#
#	tools/setup.sh build    compilers, libraries: the three programs
#	tools/setup.sh test     the same, and what the test suites need
#	tools/setup.sh latest   the same, and what fetches a newer Locust than Debian 12 has
#	tools/setup.sh lint     as test, and what `make lint` needs
#	tools/setup.sh bench    the first, and what `make bench` and `make bench-inference` compare with
#
# Nothing is missing: it says nothing and takes a few milliseconds, so every word of the Makefile
# begins with it. Not root: sudo is used where there is one. Not Debian: the list is printed and
# the rest is left to the reader.
set -eu

build="gcc libc6-dev meson ninja-build pkg-config
	libmicrohttpd-dev libgnutls28-dev libzmq3-dev libmsgpack-dev libcurl4-openssl-dev
	libjansson-dev libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev libbrotli-dev
	libyaml-dev libcrypt-dev libcmocka-dev python3-dev python3-gevent python3-greenlet
	python3-msgpack"
# node may be here from elsewhere, with an npm that Debian's does not stand beside.
command -v npm >/dev/null || build="$build nodejs npm"
test="python3 python3-pytest python3-pytest-xdist python3-msgpack python3-yaml python3-zmq python3-locust
	python3-jsonschema clang tcc util-linux openssl nghttp2-server nginx-light tinyproxy-bin
	python3-requests python3-flask python3-flask-login curl gccgo-12 chromium"
latest="debootstrap"
lint="clang-format clang-tidy"
bench="nginx-light openssl wrk hey apache2-utils nghttp2-client python3-locust valgrind
	libdnnl-dev python3-torch python3-fastapi python3-uvicorn iproute2 iptables"

case "${1-}" in
build) wanted="$build" ;;
test) wanted="$build $test" ;;
latest) wanted="$build $test $latest" ;;
lint) wanted="$build $test $lint" ;;
bench) wanted="$build $bench" ;;
*)
	echo "usage: tools/setup.sh build|test|latest|lint|bench" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "setup: this is not Debian; these packages, or what your system calls them, are needed:"
	echo "$wanted" | xargs echo "setup:"
	exit 0
fi

# Names, of those given, that are not installed.
missing() {
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p')
	for name in "$@"; do
		echo "$installed" | grep -qxF "$name" || echo "$name"
	done
}

# clang's sanitizers and fuzzer come apart from it, in a package with clang's version in its name.
# It is known once clang is, which is why there are two rounds.
clang_runtime() {
	major=$(dpkg-query -W -f '${Depends}' clang 2>/dev/null |
		sed -n 's/.*clang-\([0-9][0-9]*\).*/\1/p')
	[ -z "$major" ] || echo "libclang-rt-$major-dev"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# What apt-get and dpkg have to say is shown only where it is an error.
get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 \
		-o DPkg::Lock::Timeout=300 "$@" </dev/null >/dev/null
}

install() {
	echo "setup: installing $*"
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "setup: these packages are missing, and there is neither root nor sudo." >&2
		echo "setup: ask somebody who may to run: apt-get install $*" >&2
		exit 1
	fi
	# A simulation fails at once when the package lists were never fetched.
	apt-get -qq -s --no-install-recommends install "$@" >/dev/null 2>&1 || get update
	get -y --no-install-recommends install "$@" && return
	# Lists that are out of date name files that no mirror has any more.
	echo "setup: that failed; fetching the package lists and trying once more" >&2
	sleep 5
	get update
	get -y --no-install-recommends install "$@"
}

require() {
	lacking=$(missing "$@")
	# shellcheck disable=SC2086 # a list of words
	[ -z "$lacking" ] || install $lacking
}

# shellcheck disable=SC2086
require $wanted
case " $wanted " in
*" clang "*)
	# shellcheck disable=SC2046
	require $(clang_runtime)
	;;
esac

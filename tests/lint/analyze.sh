#!/bin/bash
# analyze.sh BUILD_DIR: gcc -fanalyzer over the rooms that hold the boundary: common, proto, ipc, agent.
# It has a build of its own below BUILD_DIR, so that the programs under test are not built by it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "$0")/lib.sh"
need gcc cmake ninja

work=${1:?the build directory}/lint/analyze
export CFLAGS=
cmake -S "$top" -B "$work" -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DDEFTPD_ANALYZE=ON >"$work.log" 2>&1 || { cat "$work.log"; exit 1; }
targets=(common)
for target in proto ipc deftpd-agent; do
	if ninja -C "$work" -t query "$target" >/dev/null 2>&1; then
		targets+=("$target")
	fi
done
echo "analysed: ${targets[*]}"
exec ninja -C "$work" -j 2 "${targets[@]}"

#!/bin/sh
# 离线安装、升级或退回查档。
#   sh install.sh [目标目录]              装到目标目录（默认 /opt/chadang）；已装过的就是升级
#   sh install.sh --rollback [目标目录]   退回上一个版本
# 用别的 Python：PYTHON=/路径/python3.11 sh install.sh
set -eu
umask 022

say() { echo "$*"; }
fail() { echo "错误：$*" >&2; exit 1; }

rollback=no
if [ "${1:-}" = "--rollback" ]; then rollback=yes; shift; fi
target=${1:-/opt/chadang}
case $target in /*) ;; *) target=$(pwd)/$target ;; esac

if [ "$rollback" = yes ]; then
    [ -L "$target/venv.before" ] || fail "$target 没有上一个版本可退。"
    before=$(readlink "$target/venv.before")
    [ -x "$target/$before/bin/chadang" ] || fail "上一个版本 $before 已不完整，退不回去。"
    now=$(readlink "$target/venv")
    ln -sfn "$before" "$target/venv.new" && mv -T "$target/venv.new" "$target/venv"
    ln -sfn "$now" "$target/venv.new" && mv -T "$target/venv.new" "$target/venv.before"
    say "已退回：$("$target/venv/bin/chadang" --version)。请重新启动服务：systemctl restart chadang"
    say "新版本改过馆藏格式的，旧程序打不开，请用升级前的备份恢复（chadang restore）。"
    exit 0
fi

here=$(cd "$(dirname "$0")" && pwd)
value() { sed -n "s/^$1=//p" "$here/FOR"; }
[ -f "$here/FOR" ] && [ -d "$here/wheels" ] || fail "请在安装包的文件夹里运行 install.sh。"

# 1. 机器和 Python 合不合
[ "$(uname -s)" = "$(value system)" ] && [ "$(uname -m)" = "$(value machine)" ] ||
    fail "安装包是给 $(value system) $(value machine) 做的，这台机器是 $(uname -s) $(uname -m)。"
wanted=$(value python)
python=${PYTHON:-}
if [ -z "$python" ]; then
    for name in "python$wanted" python3; do
        if command -v "$name" >/dev/null 2>&1; then python=$name; break; fi
    done
fi
[ -n "$python" ] || fail "没有找到 Python。请安装 Python $wanted，或用 PYTHON=/路径/python$wanted 指明。"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "$python 不能运行。"
[ "$found" = "$wanted" ] ||
    fail "安装包要 Python $wanted，$python 是 $found。请用 PYTHON=/路径/python$wanted 指明。"

# 2. 文件全不全
say "正在核对安装文件……"
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) || fail "安装文件不全或有改动，没有安装。请重新拷贝安装包。"

# 3. 装在一旁，装好再换上
mkdir -p "$target" || fail "建不了 $target。请用管理员身份运行，或换一个目录。"
release=releases/$(value version)-$(date +%Y%m%d-%H%M%S)
[ ! -e "$target/$release" ] || fail "$target/$release 已经存在，请过一会儿再试。"
clean() { rm -rf "${target:?}/$release" "$target/venv.new"; }
trap 'clean' EXIT
trap 'exit 1' INT TERM
mkdir -p "$target/releases"
"$python" -m venv --without-pip "$target/$release" || fail "建不了虚拟环境。Debian 上请先装 python3-venv。"
say "正在安装，约需一两分钟……"
pip=$(ls "$here"/wheels/pip-*.whl)
env -u PIP_EXTRA_INDEX_URL -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null \
    "$target/$release/bin/python" "$pip/pip" install --quiet --no-index --no-cache-dir \
    --disable-pip-version-check --find-links "$here/wheels" "chadang==$(value version)" ||
    fail "没有装成，原来的版本没有动。"
"$target/$release/bin/chadang" --version >/dev/null || fail "装好的程序不能运行，原来的版本没有动。"
rm -rf "$target/$release/docs"
cp -R "$here/docs" "$target/$release/docs"
trap - EXIT INT TERM

if [ -L "$target/venv" ]; then
    ln -sfn "$(readlink "$target/venv")" "$target/venv.new" && mv -T "$target/venv.new" "$target/venv.before"
fi
ln -sfn "$release" "$target/venv.new" && mv -T "$target/venv.new" "$target/venv"
ln -sfn "venv/docs" "$target/docs"

say "已装好：$("$target/venv/bin/chadang" --version)，在 $target/venv。"
if [ -L "$target/venv.before" ]; then
    say "上一个版本还在，要退回：sh install.sh --rollback $target"
    say "请重新启动服务：systemctl restart chadang"
else
    say "试用：$target/venv/bin/chadang demo --home 目录"
    say "正式使用：见 $target/docs/deploy（systemd、nginx）和 $target/docs/manual。"
fi

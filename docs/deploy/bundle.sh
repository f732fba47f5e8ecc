#!/bin/sh
# 做离线安装包：sh docs/deploy/bundle.sh 输出文件夹 [python]；一般用 make bundle。
# 输出文件夹里是全部安装文件（程序、依赖、模型、文档）、校验和与 install.sh，整个拷走即可。
set -eu

out=$1
python=${2:-python3}
root=$(cd "$(dirname "$0")/../.." && pwd)

if [ -e "$out" ]; then
    echo "$out 已经存在，请先移走。" >&2
    exit 1
fi
part="$out.part.$$"
trap 'rm -rf "$part"' EXIT INT TERM
mkdir -p "$part/wheels"

echo "正在收集安装文件……"
# 从源码的副本做自己的安装包：工作目录里的旧 build/ 不会混进来。
mkdir "$part/tree"
for name in assistant index ingest ui pyproject.toml LICENSE README.md; do
    cp -R "$root/$name" "$part/tree/"
done
"$python" -m pip wheel -qq --disable-pip-version-check \
    --constraint "$root/constraints.txt" --wheel-dir "$part/wheels" \
    "$part/tree" "pip==$(sed -n 's/^pip==\([^ ]*\).*/\1/p' "$root/constraints.txt")"
rm -rf "$part/tree"

"$python" - > "$part/FOR" <<'PY'
import platform, sys
print(f"python={sys.version_info[0]}.{sys.version_info[1]}")
print(f"system={platform.system()}")
print(f"machine={platform.machine()}")
PY
version=$(basename "$(ls "$part"/wheels/chadang-*.whl)" | cut -d- -f2)
echo "version=$version" >> "$part/FOR"

cp "$root/docs/deploy/install.sh" "$part/install.sh"
cp "$root/docs/deploy/bundle.md" "$part/安装说明.md"
mkdir -p "$part/docs"
cp -R "$root/docs/deploy" "$part/docs/deploy"
if [ -d "$root/docs/manual" ]; then cp -R "$root/docs/manual" "$part/docs/manual"; fi
cp "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE" "$part/docs/"
rm -f "$part/docs/deploy/bundle.sh" "$part/docs/deploy/bundle.md" "$part/docs/deploy/install.sh"
(cd "$part" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum > SHA256SUMS)
mv "$part" "$out"
trap - EXIT INT TERM
echo "已做好 $out：$(ls "$out/wheels" | wc -l) 个安装文件，$(du -sm "$out" | cut -f1) MB。"

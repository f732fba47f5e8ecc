# 查档：常用操作。`make` 或 `make help` 列出全部目标。
# 只需要 Python 3.11 或更新、make，以及能访问软件包源。

PYTHON ?= python3
HOME_DIR ?= data
BIN := .venv/bin
RUN := $(BIN)/python -m
STAMP := .venv/.installed

# 环境没变时不重装。.venv 是别的目录、别的 Python 版本留下的，或已经损坏时，整个重建。
TAG := import sys; print(sys.implementation.cache_tag)
WANTED := $(shell $(PYTHON) -c '$(TAG)' 2>/dev/null)
PRESENT := $(shell $(BIN)/python -c 'import pip; $(TAG)' 2>/dev/null)
MADE_FOR := $(or $(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
ifneq ($(PRESENT) $(CURDIR),$(WANTED) $(MADE_FOR))
STALE := .venv
.PHONY: $(STAMP)
endif

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow test-all lint type format eval browser chromium bench wheel bundle clean distclean

help: ## 列出全部目标
	@echo "用法：make 目标"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## 在 .venv 里装好全部依赖（已装好则什么也不做）

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "需要 Python 3.11 或更新；可用 make PYTHON=/路径/python3.12 指定。" >&2; exit 1; }
	@rm -rf $(STALE)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	    { echo "建不了虚拟环境；Debian 上请先装 python3-venv。" >&2; rm -rf .venv; exit 1; }
	@echo "正在安装依赖（首次约需几分钟）……"
	@$(RUN) pip install -qq --disable-pip-version-check -c constraints.txt --upgrade pip
	@$(RUN) pip install -qq --disable-pip-version-check -c constraints.txt --group dev -e .
	@echo "$(CURDIR)" > $@
	@echo "依赖已装好。"

run: install ## 试用：装好依赖，把自带样本入库并打开网页服务
	$(BIN)/chadang demo --home $(HOME_DIR)

test: install ## 代码检查、类型检查和默认测试
	$(MAKE) --no-print-directory lint type
	$(RUN) pytest -n auto --maxprocesses 4 --dist loadfile

test-slow: install ## 慢的测试和安装包测试
	$(RUN) pytest -m "(slow or wheel) and not browser and not bench" -n auto --maxprocesses 4

test-all: test test-slow ## 以上两种都跑

lint: install ## 代码检查（ruff）与排版检查
	$(RUN) ruff check .
	$(RUN) ruff format --check --quiet . || { echo "有文件排版不合，请运行 make format。" >&2; exit 1; }

type: install ## 类型检查（mypy）
	$(RUN) mypy

format: install ## 自动排版
	$(RUN) ruff format .
	$(RUN) ruff check --fix --exit-zero .

eval: install ## 在自带样本上评测问答
	$(BIN)/chadang eval --sample --home $(HOME_DIR)

browser: install ## 浏览器测试（需要 chromium，见 make chromium）
	$(RUN) pytest -m browser -n auto --maxprocesses 4 --dist loadfile tests/browser

# 测试工具自带的浏览器下载不到；用 Debian 的。已有则不动；不是管理员则说明怎么装。
chromium: ## 安装浏览器测试要用的 chromium 和中文字体（Debian，需管理员）
	@if command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi cjk; then \
	    echo "chromium 和中文字体已有。"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends chromium fontconfig fonts-noto-cjk >/dev/null; \
	else \
	    echo "请管理员安装：apt-get install chromium fonts-noto-cjk" >&2; exit 1; \
	fi

bench: install ## 性能测量（只报告，不判对错）
	$(RUN) pytest -m bench -s tests/bench

wheel: install ## 制作安装包并核对内容
	$(RUN) pytest -m wheel tests/integration/test_wheel.py
	$(RUN) build --wheel --outdir dist .

# 给这台机器这种系统、这个 Python 版本；拷到不联网的服务器上运行其中的 install.sh。
bundle: install ## 制作离线安装包（dist/ 里的一个文件夹）
	@mkdir -p dist
	sh docs/deploy/bundle.sh dist/chadang-offline-$$(date +%Y%m%d-%H%M%S) $(BIN)/python

clean: ## 删除缓存和中间产物（保留 .venv 和馆藏数据）
	rm -rf build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find assistant index ingest ui tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## 连 .venv 一起删除（仍保留馆藏数据）
	rm -rf .venv

# What a person types. `make` alone is what CI runs. Everything is installed on the way, nothing has to be done first.
.DEFAULT_GOAL := test
.PHONY: demo test quick check engine forge programs sandbox-up sandbox-down bench soak docs lock clean

PYTHON ?= python3
RUN := .venv/bin/python
# A progress bar where somebody looks, else quiet. What has to be built is built by the pinned setuptools, which comes first:
# pip's own isolation would fetch one without a hash. The wheel holds mailtls alone; the other rooms are found by a path file.
PIP = .venv/bin/python -m pip install --disable-pip-version-check --no-build-isolation $$([ -t 1 ] || echo --quiet)

demo: .venv/ready ## the whole system once, as a story
	$(RUN) -m sandbox.demo

test: check engine forge programs ## everything; what CI runs
	$(RUN) -m pytest --numprocesses 2 --dist loadgroup

# hostile mails and killed workers are processes of their own, a thousand in all: too slow for the inner loop
quick: check ## the fast half, for the inner loop: no engine, no sandbox
	$(RUN) -m pytest --numprocesses 2 --ignore tests/report_lambda/test_bounds_of_a_mail.py --ignore tests/report_lambda/test_fault_table.py tests/unit tests/fuzz tests/component tests/report_lambda tests/docs

# --no-cache: ruff remembers a module that was missing once, and then judges import order by it
check: .venv/ready
	.venv/bin/ruff check --no-cache .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

engine: .venv/ready ## the real Pulumi CLI: found, cached, installed or built
	$(RUN) -m sandbox.engine pulumi

forge: .venv/ready ## the real Gitea that judges proposals: cached, or built where Go and gcc are
	$(RUN) -m sandbox.forge

# Some tests ask programs that a small Debian lacks: installed where that is allowed, else those tests are skipped.
# posttls-finger comes with a whole mail server, which without a configuration does not start; where another one is at home,
# nothing is installed, since it would have to go.
programs:
	@for each in curl openssl; do command -v $$each >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq $$each; } || echo "$$each is missing: apt-get install $$each; the tests that ask it are skipped"; done
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || echo "chromium is missing: apt-get install chromium; nobody looks at the dashboard's pages"
	@command -v npm >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null; } || echo "npm is missing: apt-get install npm; axe does not look at the dashboard's pages"
	@PATH="$$PATH:/usr/sbin"; command -v posttls-finger >/dev/null || { [ "$$(id -u)" = 0 ] && ! command -v sendmail >/dev/null && apt-get update -qq && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postfix >/dev/null; } || echo "posttls-finger is missing: apt-get install postfix; the tests that ask it are skipped"

sandbox-up: .venv/ready ## the local cloud, deployed and left running
	$(RUN) -m sandbox up

sandbox-down: .venv/ready
	$(RUN) -m sandbox down

bench: .venv/ready
	$(RUN) bench/start.py
	$(RUN) bench/specs.py
	$(RUN) bench/validate.py
	$(RUN) bench/mail_to_report.py
	$(RUN) bench/check.py
	$(RUN) bench/decide.py
	$(RUN) bench/reconcile.py
	$(RUN) bench/dashboard.py
	$(RUN) bench/reports.py

soak: .venv/ready ## 100,000 mails through the function, most of them hostile; a few minutes
	$(RUN) bench/soak.py

docs: .venv/ready ## the generated references
	$(RUN) -m mailtls.spec.reference --write
	$(RUN) -m mailtls.cli.reference --write
	$(RUN) -m mailtls.lint.reference --write
	$(RUN) -m sandbox.cloud.fidelity --write

lock: .venv/ready ## after a change of a dependency in pyproject.toml or a requirements.in: versions and hashes
	.venv/bin/uv lock
	.venv/bin/uv export --quiet --all-groups --no-emit-project --format requirements-txt --output-file requirements.txt
	.venv/bin/uv export --quiet --no-default-groups --no-emit-project --format requirements-txt --output-file requirements-command.txt
	.venv/bin/uv export --quiet --no-default-groups --extra aws --no-emit-project --format requirements-txt --output-file requirements-controller.txt
	.venv/bin/uv export --quiet --only-group build --no-emit-project --format requirements-txt --output-file requirements-build.txt
	for each in sandbox/cloud/emulator sandbox/outsiders tests/fuzz bench/peers; do .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file $$each/requirements.txt $$each/requirements.in || exit 1; done

# Debian packs venv apart from Python: install it where that is allowed, say so where it is not.
.venv/ready: requirements-build.txt requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mailtls needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 2; }
	@echo "installing $$(grep -c '^[a-z0-9].*==' requirements.txt) pinned packages into .venv (once, about two minutes)"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) --quiet --require-hashes -r requirements-build.txt
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --quiet --no-deps -e .
	@.venv/bin/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "this-repository.pth").write_text(f"{pathlib.Path.cwd()}\n")'
	@touch $@

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info

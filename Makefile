# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Ansible ignores an ansible.cfg that it finds in a world-writable folder, but reads one that is named.
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# Ansible needs UTF-8, and every Debian and Ubuntu has this locale, whatever the user's language.
export LC_ALL := C.UTF-8
# ansible-lint reads it, too.
export YAMLLINT_CONFIG_FILE := $(CURDIR)/.config/yamllint.yml
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
export MAKE
# If these are set, they are meant for other programs of the user.
unexport PYTHONHOME PYTHONOPTIMIZE PYTHONPATH PYTHONWARNINGS

CAPTURE := captures/localhost/upcall.pcap
N := 6
FOR := 600
# Of the two phases side by side, lab-tests mostly waits; browser needs 150 s of CPU, most of it for upcall-check.html.
PHASES := test-packages lint unit engine browser+lab-tests molecule rooms
LINTS := lint-ansible lint-modules lint-yaml lint-python lint-types lint-shell lint-spelling lint-secrets lint-workflows \
	lint-changelog
# Not English, or not words: Indonesian files, parts of files, words, hashes, gpg's names, parts of messages in tests.
CODESPELL := --skip "./captures,./grades,./handouts,./images,./selfcheck,./requirements/*.txt,*.id.*,.git" \
	--ignore-words-list fpr,poin,grup,caf,hel,criterias,keep-alives,dosen,paket --ignore-multiline-regex '\n\[id\]\n.*'
# No look-up by network. Fingerprints of public keys are not secrets; passwords in tests have a space, which no token
# has.
SECRETS := --no-verify --exclude-secrets '^[0-9A-F]{40}$$| ' --exclude-lines 'etc/passwd|PasswordAuthentication'
# Renovate can read this form of the command, with its equals signs, from the lock files' headers.
LOCK := uv pip compile --quiet --universal --python-version=3.11 --generate-hashes

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: lab
lab: venv ## prepare this machine, capture one exchange, show its packets
	@become=$$(scripts/become) && ansible-playbook $$become site.yml
	@upcall-show $(CAPTURE)

.PHONY: test
test: venv-test ## run every test, cheap ones first; lab hosts need root (KEEP_GOING=1: do not stop at a failure)
	@HAND_OVER=1 scripts/phases $(PHASES)

.PHONY: lint
lint: venv-test ## run the linters, the formatter's check and the type check
	@$(MAKE) --no-print-directory --jobs=$$(nproc) --output-sync=target $(LINTS)

# One target a linter, for the hook of the same name in .config/pre-commit.yaml.
.PHONY: $(LINTS)
$(LINTS): venv-test

lint-ansible:
	ansible-lint

lint-modules:
	scripts/lint-modules

lint-yaml:
	yamllint --strict .

lint-python:
	ruff check .
	ruff format --check .

lint-types:
	mypy

lint-shell:
	shellcheck $$(scripts/shell-scripts)

lint-spelling:
	codespell $(CODESPELL) . .github

lint-secrets:
	@mkdir -p .cache
	git ls-files -z --cached --others --exclude-standard >.cache/files
	xargs -0 --arg-file=.cache/files detect-secrets-hook $(SECRETS)

lint-workflows:
	actionlint

lint-changelog:
	cd docs && antsibull-changelog lint

.PHONY: hooks
hooks: venv-test ## have git run the linters before each commit, on the changed files
	pre-commit install --config .config/pre-commit.yaml

.PHONY: unit
unit: venv-test ## run the unit tests
	pytest tests/unit --numprocesses auto

.PHONY: browser
browser: venv-test ## test the pages of report, handouts and self-check in a real browser (tests/browser)
	pytest tests/browser

.PHONY: pictures
pictures: test-packages venv-test ## make docs/images, the README's pictures, with that browser
	python -m tests.browser.pictures

.PHONY: fuzz
fuzz: test-packages venv-test ## test the grader with random captures, led by its code and against tshark (FOR=600: seconds)
	scripts/fuzz $(FOR)

.PHONY: engine
engine: venv-test ## install the lab's engine on this machine; tests on lab hosts need it
	become=$$(scripts/become) && ansible-playbook $$become playbooks/prepare.yml

.PHONY: lab-tests
lab-tests: venv-test ## test the lab as students use it, in real containers (tests/lab)
	pytest tests/lab

.PHONY: molecule
molecule: venv-test ## test every role on lab hosts (SCENARIOS="lab_look ...": only these; KEEP=1: keep the lab hosts)
	scripts/molecule-all

.PHONY: rooms
rooms: venv-test ## test the playbooks on lab hosts (SUITES="doctor ...": only these; KEEP=1: keep the lab hosts)
	pytest $(if $(SUITES),$(SUITES:%=tests/rooms/%),tests/rooms) --numprocesses 3 --durations 20

.PHONY: test-packages
test-packages: ## install the programs that the tests use, from the distribution
	scripts/test-packages

.PHONY: classroom
classroom: test-packages engine ## make N=6 lab hosts on this machine, run site.yml over SSH, show the report
	@sandbox/classroom up "$(N)"

.PHONY: classroom-down
classroom-down: venv ## remove that classroom; captures stay
	@sandbox/classroom down

.PHONY: bench
bench: venv-test engine ## measure the speed goals on six lab hosts, into bench/RESULTS.md (KEEP=1: keep the lab hosts)
	bench/run

.PHONY: bench-grading
bench-grading: venv-test ## compare the grader's speed with cat, scapy, dpkt and tshark, into bench/GRADING.md
	bench/grading/run

.PHONY: test-vm
test-vm: venv-test ## test site.yml on one real virtual machine (qemu)
	scripts/test-vm

.PHONY: image
image: venv ## make images/upcall-lab.tar.gz, the lab's image for hosts without a network
	@become=$$(scripts/become) && ansible-playbook $$become playbooks/image.yml

.PHONY: handouts
handouts: venv ## make handouts/, the students' handouts as pages to print or upload
	python scripts/handouts.py

# A line for each file that students get.
.PHONY: selfcheck
selfcheck: venv ## make selfcheck/, the grader for students to check with (RUBRIC=my-rubric.yml: with your own rubric)
	python -m scripts.selfcheck.pyz $(if $(RUBRIC),--rubric "$(RUBRIC)")
	python -m scripts.selfcheck.page $(if $(RUBRIC),--rubric "$(RUBRIC)")

.PHONY: readmes
readmes: venv-test ## make README.md's tables, each role's README.md and galaxy_info from their sources
	python scripts/listings.py
	scripts/role-readmes roles/*

.PHONY: lock
lock: venv-test ## make requirements/*.txt from *.in (UPGRADE=--upgrade: newest versions), and npm's lock file
	$(LOCK) $(UPGRADE) --output-file=requirements/lab.txt requirements/lab.in
	$(LOCK) $(UPGRADE) --output-file=requirements/test.txt requirements/test.in
	$(LOCK) $(UPGRADE) --output-file=requirements/bench.txt requirements/bench.in
	cd scripts/selfcheck && npm install --package-lock-only --ignore-scripts

.PHONY: clean
clean: ## remove the virtual environment and caches; captures stay
	rm -rf .venv .cache .ansible .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: venv
venv:
	@scripts/venv

.PHONY: venv-test
venv-test:
	@scripts/venv --test

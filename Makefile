# Each target sets up what it needs, once, on a fresh Debian 12 machine with Python 3.11 (as root where a Debian
# package is missing). What was set up is kept in .venv and .venvs; a change of setup.cfg sets it up again.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
APT := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
PIP := -m pip -qq --disable-pip-version-check --no-input
DATA ?= .run
HOST ?= 127.0.0.1
PORT ?= 5232

# Servers and clients that the tests talk to; those from PyPI each in an environment of its own.
PARTS := xandikos vdirsyncer caldav-client server-tester litmus calcurse evolution google-client microsoft-client emulate icaljs postgresql redis cyrus davical sogo sabre chromium axe schemathesis config-readers

.PHONY: help run test test-postgresql check newcomer audit simulate fuzz bench growth screenshots clean

help:
	@echo "make run     serve a demo studio (HOST=$(HOST) PORT=$(PORT) DATA=$(DATA))"
	echo "make test    every test, with the real servers and clients it needs (PYTEST='-k word' to choose)"
	echo "make test-postgresql   a well-chosen part of them with PostgreSQL in the place of SQLite"
	echo "make check   formatting, lint, types, import rules"
	echo "make newcomer  what somebody new does first, from nothing but the clone"
	echo "make audit   weaknesses in our code and what we depend on (ADVISORIES=required: it fails where they cannot be looked up)"
	echo "make bench   our server beside Cyrus, Radicale and Xandikos (BENCH='--events 500 --database postgresql' to choose)"
	echo "make growth  how our server grows with events and studios, and a worker's memory"
	echo "make simulate  SCHEDULES=n SEED=s DATABASE=d: random histories, faults and crashes against the sync engine (d: postgresql)"
	echo "make fuzz INPUTS=n SEED=s: odd requests against the CalDAV server; none may be an error of ours"
	echo "make screenshots  every page and state as a picture (SHOTS='--only word' to choose)"
	echo "make simulate-all  every crash point, every write in flight, undos, a million plans, a soak of 30 minutes"
	echo "make clean   remove what was set up"

run: .venv/run.stamp
	@export PICSELLO_BRIDGE_PUBLIC_URL="$${PICSELLO_BRIDGE_PUBLIC_URL:-http://$(HOST):$(PORT)}"
	.venv/bin/picsello-bridge --data "$(DATA)" demo
	exec .venv/bin/picsello-bridge --data "$(DATA)" serve --host "$(HOST)" --port "$(PORT)"

test: .venv/dev.stamp $(foreach part,$(PARTS),.venvs/$(part).stamp)
	@.venv/bin/python -m pytest $(PYTEST)

# What keeps its rows in the database, once more with PostgreSQL in the place of the SQLite file. Everything:
#   PICSELLO_BRIDGE_TEST_DATABASE=postgresql make test
ON_POSTGRESQL ?= tests/sync/test_guards.py tests/sync/test_first_link.py tests/sync/test_conflicts.py tests/sync/test_undo.py \
	tests/plugin/test_protocol.py tests/plugin/test_policies.py tests/booking tests/service/test_accounts.py \
	tests/cli/test_worker.py tests/cli/test_sync.py tests/web/test_journey.py tests/journeys/test_crashes.py \
	tests/simulation/test_schedules.py

test-postgresql: .venv/dev.stamp .venvs/postgresql.stamp .venvs/redis.stamp
	@PICSELLO_BRIDGE_TEST_DATABASE=postgresql .venv/bin/python -m pytest $(ON_POSTGRESQL)

# SCHEDULES random histories against the whole sync engine on DATABASE (sqlite or postgresql, whose connections break,
# too), from seed SEED on; the last line is JSON.
SCHEDULES ?= 200
SEED ?= 0
DATABASE ?= sqlite
simulate: .venv/dev.stamp $(if $(filter postgresql,$(DATABASE)),.venvs/postgresql.stamp)
	@.venv/bin/python -m tests.simulation.run $(SCHEDULES) $(SEED) --database $(DATABASE) $(if $(LEDGER),--ledger $(LEDGER))

INPUTS ?= 200000
fuzz: .venv/dev.stamp
	@.venv/bin/python -m tests.plugin.fuzz $(INPUTS) --seed $(SEED)

# Every page and state, into screenshots/; SHOTS='--chosen' renews those of the README, SHOTS='--only word' chooses.
screenshots: .venv/dev.stamp .venvs/chromium.stamp
	@.venv/bin/python -m tests.web.screenshots $(SHOTS)

# What the tests hold a part of, whole. Each ends with a line of JSON.
.PHONY: simulate-all
simulate-all: .venv/dev.stamp .venvs/xandikos.stamp
	@.venv/bin/python -m tests.simulation.crash_points --again
	.venv/bin/python -m tests.simulation.flights --again
	.venv/bin/python -m tests.simulation.undos 2000
	.venv/bin/python -m tests.simulation.triples 1000000
	.venv/bin/python -m benchmarks.soak --minutes 30

check: .venv/dev.stamp
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports

newcomer: .venv/dev.stamp
	@.venv/bin/python -m tests.newcomer

# Where the books of advisories cannot be asked, that is said and is no failure, except with ADVISORIES=required.
audit: .venv/dev.stamp .venvs/pip-audit.stamp | node
	@.venv/bin/python -m pytest -q tests/packaging/test_audit.py tests/packaging/test_licences.py
	ADVISORIES=$(ADVISORIES) .venv/bin/python -m tests.advisories

# git keeps Xandikos' calendars
bench: .venv/dev.stamp .venvs/xandikos.stamp .venvs/cyrus.stamp .venvs/postgresql.stamp
	@command -v git >/dev/null || { echo "Setting up: git"; $(APT) git >/dev/null; }
	.venv/bin/python -m benchmarks.caldav $(BENCH)

growth: .venv/dev.stamp
	@.venv/bin/python -m benchmarks.caldav.growth $(GROWTH)

clean:
	@rm -rf .venv .venvs build ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
	  echo "Setting up: python3-venv"
	  $(APT) python3 python3-venv >/dev/null
	fi
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (make PYTHON=…).")'
	$(PYTHON) -m venv .venv

.PHONY: node
node:
	@if ! command -v npm >/dev/null; then
	  echo "Setting up: Node, which fetches what the pages need"
	  $(APT) nodejs npm >/dev/null
	fi

.venv/run.stamp: setup.cfg setup.py pyproject.toml bridge/web/package-lock.json | .venv/bin/python node
	@echo "Setting up: the program and what it uses"
	.venv/bin/python $(PIP) install --editable .
	touch $@

.venv/dev.stamp: setup.cfg setup.py pyproject.toml bridge/web/package-lock.json | .venv/bin/python node
	@echo "Setting up: the program, what it uses, and the tools of its tests"
	.venv/bin/python $(PIP) install --editable '.[test,dev,opentelemetry]'
	touch $@ .venv/run.stamp

.venvs/xandikos.stamp: PACKAGES = 'xandikos>=0.4,<0.5'
.venvs/vdirsyncer.stamp: PACKAGES = 'vdirsyncer>=0.20,<0.22'
.venvs/caldav-client.stamp: PACKAGES = 'caldav>=3.6,<4'
.venvs/server-tester.stamp: PACKAGES = 'caldav-server-tester>=1.7,<2' 'vobject>=0.9.9,<1'
.venvs/google-client.stamp: PACKAGES = 'google-api-python-client==2.202.0'
.venvs/microsoft-client.stamp: PACKAGES = 'msgraph-sdk==1.65.0'
.venvs/schemathesis.stamp: PACKAGES = 'schemathesis>=4,<5'
.venvs/pip-audit.stamp: PACKAGES = 'pip-audit>=2.9,<3'

.venvs/%.stamp: Makefile | .venv/bin/python
	@echo "Setting up: $* for the tests"
	rm -rf .venvs/$*
	.venv/bin/python -m venv .venvs/$*
	.venvs/$*/bin/python $(PIP) install $(PACKAGES)
	touch .venvs/$*/ready $@

# Google's and Microsoft's sign-in, with the Node it needs (see tests/servers/emulate.py).
.venvs/emulate.stamp: Makefile | node
	@echo "Setting up: emulate for the tests"
	mkdir -p .venvs/emulate
	npm install --prefix .venvs/emulate --silent --no-audit --no-fund emulate@0.12.2 node@22
	touch .venvs/emulate/ready $@

# Thunderbird's parser (see tests/servers/icaljs.py).
.venvs/icaljs.stamp: Makefile | node
	@echo "Setting up: ical.js for the tests"
	mkdir -p .venvs/icaljs
	npm install --prefix .venvs/icaljs --silent --no-audit --no-fund ical.js@2.2.1
	touch .venvs/icaljs/ready $@

.venvs/postgresql.stamp:
	@mkdir -p .venvs
	if ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && ! command -v postgres >/dev/null; then
	  echo "Setting up: postgresql for the tests"
	  $(APT) postgresql >/dev/null
	fi
	touch $@

# CalDAV servers from Debian, run by the tests themselves: nothing of theirs is started here.
.venvs/cyrus.stamp: DEBS = cyrus-caldav cyrus-imapd cyrus-admin cyrus-common sasl2-bin libsasl2-modules
.venvs/davical.stamp: DEBS = davical php-cli php-pgsql php-xml php-curl php-mbstring libdbd-pg-perl libyaml-perl
.venvs/sogo.stamp: DEBS = sogo memcached
.venvs/config-readers.stamp: DEBS = nginx-light caddy docker-compose systemd openssl
.venvs/sabre.stamp: DEBS = php-cli php-sqlite3 php-xml php-mbstring php-sabre-dav

.venvs/cyrus.stamp .venvs/davical.stamp .venvs/sogo.stamp .venvs/sabre.stamp .venvs/config-readers.stamp: .venvs/%.stamp: | .venvs/postgresql.stamp
	@if ! dpkg-query -W $(DEBS) >/dev/null 2>&1; then
	  echo "Setting up: $* for the tests"
	  export RUNLEVEL=1
	  $(APT) $(DEBS) >/dev/null
	fi
	touch $@

.venvs/redis.stamp:
	@mkdir -p .venvs
	if ! command -v redis-server >/dev/null; then
	  echo "Setting up: redis for the tests"
	  $(APT) redis-server >/dev/null
	fi
	touch $@

# Clients from Debian.
.venvs/litmus.stamp: DEBS = litmus
.venvs/calcurse.stamp: DEBS = calcurse python3-httplib2
.venvs/evolution.stamp: DEBS = evolution-data-server gir1.2-ecal-2.0 gir1.2-edataserver-1.2 python3-gi dbus-daemon

.venvs/litmus.stamp .venvs/calcurse.stamp .venvs/evolution.stamp: .venvs/%.stamp:
	@mkdir -p .venvs
	if ! dpkg-query -W $(DEBS) >/dev/null 2>&1; then
	  echo "Setting up: $* for the tests"
	  $(APT) $(DEBS) >/dev/null
	fi
	touch $@

.venvs/chromium.stamp:
	@mkdir -p .venvs
	if ! command -v chromium >/dev/null; then
	  echo "Setting up: chromium for the tests"
	  $(APT) chromium >/dev/null
	fi
	touch $@

.venvs/axe.stamp: bridge/web/package.json bridge/web/package-lock.json | node
	@echo "Setting up: axe-core for the tests"
	rm -rf .venvs/axe
	mkdir -p .venvs/axe
	cp $^ .venvs/axe
	npm ci --prefix .venvs/axe --ignore-scripts --no-audit --no-fund --silent
	touch $@

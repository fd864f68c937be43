# The only interface a user must learn: `make help` lists it.

export NGCP_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ngcp
export PATH := $(NGCP_CACHE)/venv/bin:$(PATH)
export CMD
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

LAB = python3 -m lab
PLAYBOOK = ansible-playbook

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

appliance: prerequisites ## build the bootable image, boot it, let two phones call each other through it
	@python3 toolchain/run.py appliance

test: prerequisites ## check everything: linters, tests, packages, image, container, virtual machine
	@python3 toolchain/run.py test

node-up: prerequisites base repository ## a node in a container, left running
	@$(LAB) up node && $(LAB) converge node

node-down: prerequisites ## end that node
	@$(LAB) down node

node-exec: prerequisites ## run CMD='...' in it; its exit status is ours
	@$(LAB) exec node "$$CMD"

node-ip: prerequisites ## print its public address
	@$(LAB) ip node

node-netns: prerequisites ## print the network namespace from which its public address is reachable
	@$(LAB) netns

node-password: prerequisites ## print the password of its REST administrator
	@$(LAB) password node

packages: prerequisites ## build the Debian packages, twice, and the apt repository
	@flock $(NGCP_CACHE)/packages.lock $(PLAYBOOK) playbooks/packages.yml

image: prerequisites base repository ## build the disk image: image/out/ngcp-appliance.raw and .qcow2
	@flock $(NGCP_CACHE)/image.lock unshare --mount $(PLAYBOOK) -i inventory -i image/inventory.yml playbooks/image.yml

image-check: prerequisites ## build the disk image twice, and compare bit for bit
	@toolchain/image-check

lint: prerequisites ## run all linters
	@toolchain/lint

fuzz: prerequisites ## look for bytes that break the parsers and the edge, for SECONDS=60; NAME=edge fuzzes one target
	@SECONDS_IN_ALL=$(SECONDS) toolchain/fuzz $(NAME)

bench: prerequisites ## measure ours beside the programs whose place we take; NAME=lb runs one benchmark
	@cd ngcp_pkg && PYTHONPATH=src python3 -m bench $(NAME)

clean: ## forget everything that was built, and the cache
	@toolchain/clean

# --- not for users ---

prerequisites:
	@toolchain/prerequisites

base:
	@toolchain/roots base > /dev/null

# The repository is made anew when the packages' source is not the one it was made from.
repository: prerequisites
	@[ "$$(toolchain/source key)" = "$$(cat $(NGCP_CACHE)/repo/source.key 2>/dev/null)" ] || $(MAKE) packages

.PHONY: help appliance test node-up node-down node-exec node-ip node-netns node-password packages image image-check lint fuzz bench clean \
	prerequisites base repository

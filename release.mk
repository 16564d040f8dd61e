# Wheel, sdist and releases; included by the Makefile.
# the registry to push to and cosign's private key; DRY_RUN=1 makes and verifies everything on this machine
DRY_RUN ?=
COSIGN_KEY ?=

.PHONY: dist release

dist: setup ## build wheel and sdist into dist/
	@rm -rf dist && $(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist .

release: setup docker-available ## publish wheel, sdist and images with SBOM, provenance and signatures; DRY_RUN=1 to a local registry
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tools.release $(if $(DRY_RUN),--dry-run) \
	  $(if $(REGISTRY),--registry $(REGISTRY)) $(if $(COSIGN_KEY),--key $(COSIGN_KEY))

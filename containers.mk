# Container images; included by the Makefile. All targets need Docker with buildx.
REVISION := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' bench/version.py)
BAKE := EDGE_BENCH_REVISION=$(REVISION) EDGE_BENCH_VERSION=$(VERSION) docker buildx bake
# folders with the bundle and the host's Runs for `make edge-image`; empty: volumes of compose
BUNDLE ?=
RESULTS ?=
PLATFORM ?= linux/arm64
# edge-full: with ONNX Runtime, OpenVINO and ncnn
TARGET ?= edge
EDGE_TAG ?= edge-bench$(TARGET:edge%=%)
EDGE_IMAGE = $(EDGE_TAG)$(if $(findstring :,$(EDGE_TAG)),,:latest)
CONTEXT := build/edge-image

BASE ?= debian:bookworm-slim

.PHONY: images push edge-image edge-full pin docker-available

docker-available:
	@docker buildx version >/dev/null 2>&1 && docker info >/dev/null 2>&1 || \
	  { echo "no Docker engine with buildx available: install Docker, start it, or add yourself to the group docker" >&2; exit 2; }

# an engine without the containerd image store has one platform per tag
ALL_PLATFORMS = docker info --format '{{.DriverStatus}}' | grep -q io.containerd.snapshotter
images: docker-available ## build both images for their platforms (host: amd64; edge: arm64 and amd64)
	@if $(ALL_PLATFORMS); then $(BAKE) --load; else \
	  echo "this engine stores one platform per tag: building edge-bench for $(PLATFORM) only" >&2; \
	  EDGE_PLATFORMS=$(PLATFORM) $(BAKE) --load; fi

edge-full: docker-available ## build edge-bench-full, the edge image with all runtimes, for arm64 and amd64
	@if $(ALL_PLATFORMS); then $(BAKE) --load edge-full; else \
	  echo "this engine stores one platform per tag: building edge-bench-full for $(PLATFORM) only" >&2; \
	  EDGE_PLATFORMS=$(PLATFORM) $(BAKE) --load edge-full; fi

push: docker-available ## push both images to REGISTRY=…, with SBOM and provenance attestations
	@test -n "$(REGISTRY)" || { echo "REGISTRY is not set: use make push REGISTRY=registry.example/someone" >&2; exit 2; }
	@REGISTRY=$(REGISTRY) $(BAKE) --push --sbom=true --provenance=mode=max

pin: docker-available ## pin the base image of both Dockerfiles by digest, from a registry; BASE=… for another image
	@digest=$$(docker buildx imagetools inspect "$(BASE)" --format '{{json .Manifest}}' | grep -m1 -oE 'sha256:[0-9a-f]{64}'); \
	  [[ -n $$digest ]] || \
	  { echo "no registry has $(BASE) or none is reachable: the Dockerfiles are unchanged" >&2; exit 2; }; \
	  sed -i "s|^ARG BASE=.*|ARG BASE=$(BASE)@$$digest|" Dockerfile.host Dockerfile.edge; \
	  echo "both images now use $(BASE)@$$digest: commit this change" >&2

edge-image: docker-available ## build the edge image with a bundle and the host's Runs: BUNDLE=folder RESULTS=folder TARGET=edge-full
	@rm -rf $(CONTEXT) && mkdir -p $(CONTEXT)/bundle $(CONTEXT)/results
	@if [[ -n "$(BUNDLE)" ]]; then \
	  [[ -f "$(BUNDLE)/manifest.json" ]] || { echo "$(BUNDLE): not a bundle (no manifest.json)" >&2; exit 2; }; \
	  cp -R "$(BUNDLE)/." $(CONTEXT)/bundle/; \
	else \
	  docker compose run --rm --no-deps -T --entrypoint tar host -C /artifacts/bundle -c . | tar -x -C $(CONTEXT)/bundle; \
	  [[ -f $(CONTEXT)/bundle/manifest.json ]] || \
	    { echo "no bundle in the compose volume artifacts: run 'docker compose up train', or set BUNDLE=folder" >&2; exit 2; }; \
	fi
	@if [[ -n "$(RESULTS)" ]]; then \
	  if compgen -G "$(RESULTS)/run-*.json" >/dev/null; then cp "$(RESULTS)"/run-*.json $(CONTEXT)/results/; \
	  else echo "$(RESULTS): no Runs, so there will be none in the image" >&2; fi; \
	elif [[ -z "$(BUNDLE)" ]]; then \
	  docker compose run --rm --no-deps -T --entrypoint tar host -C /results -c . | tar -x -C $(CONTEXT)/results; fi
	docker buildx build --file Dockerfile.edge --target $(TARGET) --platform $(PLATFORM) --tag $(EDGE_TAG) \
	  --build-arg EDGE_BENCH_REVISION=$(REVISION) --build-arg EDGE_BENCH_VERSION=$(VERSION) \
	  --build-context bundle=$(CONTEXT)/bundle --build-context results=$(CONTEXT)/results --load .
	@rm -rf $(CONTEXT)
	@echo 'next: docker save $(EDGE_IMAGE) | gzip | ssh USER@HOST docker load' >&2
	@echo 'then, on that machine: mkdir -p results && docker run --rm --hostname "$$(hostname)"' \
	  '-v "$$PWD/results:/results" --user "$$(id -u):$$(id -g)" $(EDGE_TAG)' >&2

# The images; included by the Makefile. All of it needs Docker with buildx.
REVISION := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' bench/version.py)
BAKE := EDGE_BENCH_REVISION=$(REVISION) EDGE_BENCH_VERSION=$(VERSION) docker buildx bake
# where the bundle and the host's Runs for `make edge-image` come from: folders, or else compose's volumes
BUNDLE ?=
RESULTS ?=
PLATFORM ?= linux/arm64
EDGE_TAG ?= edge-bench
EDGE_IMAGE = $(EDGE_TAG)$(if $(findstring :,$(EDGE_TAG)),,:latest)
CONTEXT := build/edge-image

BASE ?= debian:bookworm-slim

.PHONY: images push edge-image pin docker-answers

docker-answers:
	@docker buildx version >/dev/null 2>&1 && docker info >/dev/null 2>&1 || \
	  { echo "no Docker engine with buildx answers: install Docker, start it, or add yourself to the group docker" >&2; exit 2; }

images: docker-answers ## both images for their platforms (host: amd64; edge: arm64 and amd64)
	@if docker info --format '{{.DriverStatus}}' | grep -q io.containerd.snapshotter; then $(BAKE) --load; else \
	  echo "this engine's image store keeps one platform a tag: edge-bench is built for $(PLATFORM) alone" >&2; \
	  EDGE_PLATFORMS=$(PLATFORM) $(BAKE) --load; fi

push: docker-answers ## both images to REGISTRY=…, with SBOM and provenance attestations
	@test -n "$(REGISTRY)" || { echo "say where to: make push REGISTRY=registry.example/someone" >&2; exit 2; }
	@REGISTRY=$(REGISTRY) $(BAKE) --push --sbom=true --provenance=mode=max

pin: docker-answers ## the base image by its digest, into both Dockerfiles; BASE=… another. Needs a registry
	@digest=$$(docker buildx imagetools inspect "$(BASE)" --format '{{json .Manifest}}' | grep -m1 -oE 'sha256:[0-9a-f]{64}'); \
	  [[ -n $$digest ]] || \
	  { echo "no registry answered for $(BASE): the Dockerfiles stay as they are" >&2; exit 2; }; \
	  sed -i "s|^ARG BASE=.*|ARG BASE=$(BASE)@$$digest|" Dockerfile.host Dockerfile.edge; \
	  echo "both images are built on $(BASE)@$$digest: commit that" >&2

edge-image: docker-answers ## the edge image with a bundle and the host's Runs inside: BUNDLE=folder RESULTS=folder
	@rm -rf $(CONTEXT) && mkdir -p $(CONTEXT)/bundle $(CONTEXT)/results
	@if [[ -n "$(BUNDLE)" ]]; then \
	  [[ -f "$(BUNDLE)/manifest.json" ]] || { echo "$(BUNDLE): no bundle there (it holds no manifest.json)" >&2; exit 2; }; \
	  cp -R "$(BUNDLE)/." $(CONTEXT)/bundle/; \
	else \
	  docker compose run --rm --no-deps -T --entrypoint tar host -C /artifacts/bundle -c . | tar -x -C $(CONTEXT)/bundle; \
	  [[ -f $(CONTEXT)/bundle/manifest.json ]] || \
	    { echo "no bundle in compose's volume artifacts: 'docker compose up train' makes one, or name a folder with BUNDLE=" >&2; exit 2; }; \
	fi
	@if [[ -n "$(RESULTS)" ]]; then cp "$(RESULTS)"/run-*.json $(CONTEXT)/results/; \
	elif [[ -z "$(BUNDLE)" ]]; then \
	  docker compose run --rm --no-deps -T --entrypoint tar host -C /results -c . | tar -x -C $(CONTEXT)/results; fi
	docker buildx build --file Dockerfile.edge --platform $(PLATFORM) --tag $(EDGE_TAG) \
	  --build-arg EDGE_BENCH_REVISION=$(REVISION) --build-arg EDGE_BENCH_VERSION=$(VERSION) \
	  --build-context bundle=$(CONTEXT)/bundle --build-context results=$(CONTEXT)/results --load .
	@rm -rf $(CONTEXT)
	@echo 'next: docker save $(EDGE_IMAGE) | gzip | ssh USER@HOST docker load' >&2
	@echo 'then, on that machine: mkdir -p results && docker run --rm --hostname "$$(hostname)"' \
	  '-v "$$PWD/results:/results" --user "$$(id -u):$$(id -g)" $(EDGE_IMAGE)' >&2

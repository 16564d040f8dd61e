# Both images for their platforms: `make images`, `make push REGISTRY=…`, or docker buildx bake. The target edge-full, the
# edge image with all runtimes, is not built by default: `make edge-full`, or docker buildx bake edge-full. The group
# release has all images under the tags of a release: `make release`.

variable "EDGE_BENCH_VERSION" { default = "0.2.0" }
variable "EDGE_BENCH_REVISION" { default = "unknown" }
variable "REGISTRY" { default = "" } # destination of `make push`, such as registry.example/someone
variable "TAG" { default = "latest" }
# an engine without the containerd image store has one platform per tag: `make images` then builds only arm64
variable "EDGE_PLATFORMS" { default = "linux/arm64,linux/amd64" }

function "name" {
  params = [image]
  result = REGISTRY == "" ? "${image}:${TAG}" : "${REGISTRY}/${image}:${TAG}"
}

group "default" { targets = ["host", "edge"] }

target "_common" {
  context = "."
  args = {
    EDGE_BENCH_VERSION  = EDGE_BENCH_VERSION
    EDGE_BENCH_REVISION = EDGE_BENCH_REVISION
  }
}

target "host" {
  inherits   = ["_common"]
  dockerfile = "Dockerfile.host"
  platforms  = ["linux/amd64"]
  tags       = [name("edge-bench-host")]
}

target "edge" {
  inherits   = ["_common"]
  dockerfile = "Dockerfile.edge"
  platforms  = split(",", EDGE_PLATFORMS)
  tags       = [name("edge-bench")]
}

target "edge-full" {
  inherits = ["edge"]
  target   = "edge-full"
  tags     = [name("edge-bench-full")]
}

# -- a release: one repository, all images, all their platforms, with provenance
variable "REPOSITORY" { default = "edge-bench" } # such as registry.example/someone/edge-bench

group "release" { targets = ["release-edge", "release-edge-full", "release-host"] }

target "_release" {
  attest = ["type=provenance,mode=max"]
}

target "release-edge" {
  inherits  = ["edge", "_release"]
  platforms = ["linux/arm64", "linux/amd64"]
  tags      = [for tag in ["latest", EDGE_BENCH_VERSION, "edge", "${EDGE_BENCH_VERSION}-edge"] : "${REPOSITORY}:${tag}"]
}

target "release-edge-full" {
  inherits  = ["edge-full", "_release"]
  platforms = ["linux/arm64", "linux/amd64"]
  tags      = [for tag in ["edge-full", "${EDGE_BENCH_VERSION}-edge-full"] : "${REPOSITORY}:${tag}"]
}

target "release-host" {
  inherits = ["host", "_release"]
  tags     = [for tag in ["host", "${EDGE_BENCH_VERSION}-host"] : "${REPOSITORY}:${tag}"]
}

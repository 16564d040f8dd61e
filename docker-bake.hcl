# Both images for their platforms: `make images`, `make push REGISTRY=…`, or docker buildx bake. The target edge-full, the
# edge image with all runtimes, is not built by default: `make edge-full`, or docker buildx bake edge-full.

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
